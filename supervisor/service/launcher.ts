import { join } from 'node:path';
import type { ServiceDefinition } from './definition.ts';

/** The file that a service starts: it outlives the Node.js that it was installed with (INST-2). */
export function launcherPath(serviceDir: string): string {
  return join(serviceDir, 'start.sh');
}

/**
 * A script for `/bin/sh`, the same for every service: `start.sh NODE PROGRAM ARGUMENT…`. When that Node.js is gone it takes the
 * first other one that is new enough; without one it ends with 78, for launchd with 0, and says why.
 */
export function renderLauncher(): string {
  return `#!/bin/sh
# Written by "xopc gateway service install". Starts the gateway: start.sh NODE PROGRAM ARGUMENT...
node=$1
program=$2
shift 2

give_up() {
  echo "xopc: $1 Run: xopc gateway service install" >&2
  # launchd starts again after whatever is not 0.
  [ "$XOPC_SERVICE_MARKER" = launchd ] && exit 0
  exit 78
}

is_new_enough() {
  [ -x "$1" ] && "$1" -e 'const { versions, exit } = process; const [a, b] = versions.node.split(".").map(Number); exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

find_node() {
  for candidate in "$(command -v node)" /usr/bin/node /usr/local/bin/node /opt/homebrew/bin/node \\
    "$HOME"/.nvm/versions/node/*/bin/node "$HOME"/.local/share/fnm/node-versions/*/installation/bin/node \\
    "$HOME"/.volta/bin/node "$HOME"/.asdf/installs/nodejs/*/bin/node "$HOME"/.local/share/mise/installs/node/*/bin/node; do
    if is_new_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
}

[ -r "$program" ] || give_up "The program $program is gone."
if [ ! -x "$node" ]; then
  gone=$node
  node=$(find_node)
  [ -n "$node" ] || give_up "Node.js is gone: $gone, and no other one that is new enough was found."
  echo "xopc: Node.js is gone: $gone. Using $node instead." >&2
fi
# What the gateway runs finds the same Node.js.
PATH=$(dirname "$node"):$PATH
export PATH
exec "$node" "$program" "$@"
`;
}

/** The same for Windows, where nothing but Node.js can be started without a window: paths need no quotes of a shell. */
export function renderWindowsLauncher({ entry, args, environment, name }: ServiceDefinition): string {
  const variables = { ...environment, XOPC_SERVICE_MARKER: 'schtasks', XOPC_SERVICE_NAME: name };
  return `// Written by "xopc gateway service install". Starts the gateway.
const { existsSync } = require('node:fs');
const { env, exit } = process;
const program = ${JSON.stringify(entry)};
if (!existsSync(program)) {
  console.error('xopc: The program ' + program + ' is gone. Run: xopc gateway service install');
  exit(0);
}
Object.assign(env, ${JSON.stringify(variables, null, 2)});
process.argv = [process.argv[0], program, ...${JSON.stringify(args)}];
require(program);
`;
}

/** Where the launcher of Windows is. */
export function windowsLauncherPath(serviceDir: string): string {
  return join(serviceDir, 'start.cjs');
}
