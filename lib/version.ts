declare const __XOPC_VERSION__: string | undefined;

/** The product's version as in package.json; `0.0.0-dev` when the sources run unbundled in a test. */
export const VERSION: string = typeof __XOPC_VERSION__ === 'string' ? __XOPC_VERSION__ : '0.0.0-dev';
