/** The version manager in whose folder a Node.js lies; undefined for one that a system keeps in its place. */
export function judgeNodePath(path: string): string | undefined {
  return VERSION_MANAGERS.find(({ folder }) => folder.test(path))?.name;
}

const VERSION_MANAGERS: readonly { name: string; folder: RegExp }[] = [
  { name: 'nvm', folder: /[\\/]\.?nvm[\\/]/i },
  { name: 'fnm', folder: /[\\/](\.?fnm|fnm_multishells)[\\/]/i },
  { name: 'volta', folder: /[\\/]\.?volta[\\/]/i },
  { name: 'asdf', folder: /[\\/]\.?asdf[\\/]/i },
  { name: 'mise', folder: /[\\/]mise[\\/]installs[\\/]/i },
  { name: 'nodenv', folder: /[\\/]\.?nodenv[\\/]/i },
];
