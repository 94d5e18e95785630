// What `import.meta.url` is in a CommonJS bundle. The build puts it only where a package asks for it.
export const bundleUrl = /* @__PURE__ */ (() => require('node:url').pathToFileURL(__filename).href)();
