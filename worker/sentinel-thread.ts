import { writeSync } from 'node:fs';
import inspector from 'node:inspector';
import { workerData } from 'node:worker_threads';
import { BEAT_MS, type SentinelData } from './sentinel.ts';

/** The thread beside the main loop; see `startSentinel`. */
const { beats, blockedMs, parentPid } = workerData as SentinelData;
const counter = new Int32Array(beats);
const STANDARD_ERROR = 2;
const MAX_FRAMES = 30;

let seen = -1;
let silentMs = 0;
let isWritten = false;

setInterval(() => {
  if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
  const value = Atomics.load(counter, 0);
  if (value !== seen) {
    seen = value;
    silentMs = 0;
    isWritten = false;
    return;
  }
  silentMs += BEAT_MS;
  if (silentMs < blockedMs || isWritten) return;
  isWritten = true;
  writeStack();
}, BEAT_MS);

/** Interrupts the main loop for a moment, wherever it is in JavaScript; a call into the system is waited for. */
function writeStack(): void {
  const session = new inspector.Session();
  const urls = new Map<string, string>();
  session.connectToMainThread();
  session.on('Debugger.scriptParsed', ({ params }) => void urls.set(params.scriptId, params.url));
  session.on('Debugger.paused', ({ params }) => {
    const frames = params.callFrames.slice(0, MAX_FRAMES).map(({ functionName, location }) => {
      const { scriptId, lineNumber, columnNumber = 0 } = location;
      const place = `${urls.get(scriptId) ?? ''}:${lineNumber + 1}:${columnNumber + 1}`;
      return `    at ${functionName === '' ? '<anonymous>' : functionName} (${place})`;
    });
    writeSync(STANDARD_ERROR, `The main loop is blocked:\n${frames.join('\n')}\n`);
    session.post('Debugger.resume');
    session.post('Debugger.disable');
    session.disconnect();
  });
  session.post('Debugger.enable', () => session.post('Debugger.pause'));
}
