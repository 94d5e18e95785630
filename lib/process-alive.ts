import { errorCode } from './errors.ts';

/** False when no process of this id exists on this machine; one of another user counts. Says nothing of who it is. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
