// A small parent of a bare Koa that owns its port: SIGHUP kills the server, and one that ended is started again at once.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('plain-koa.mjs', import.meta.url));
let server = start();

process.on('SIGHUP', () => server.kill());
process.on('SIGTERM', () => {
  server.removeAllListeners('exit');
  server.once('exit', () => process.exit(0));
  server.kill();
});

function start() {
  const child = spawn(process.execPath, [program, process.argv[2]], { stdio: 'ignore' });
  child.once('exit', () => {
    server = start();
  });
  return child;
}
