import type { ControlRequest } from '../lib/control.ts';
import { ControlRefused, ControlUnanswered, ControlUnavailable, callControl } from '../lib/control-client.ts';
import { ExitError } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import type { Paths } from '../lib/paths.ts';

/** How long the supervisor may take to take note, in milliseconds. */
const ANSWER_MS = 2_000;

/** Asks the supervisor to stop or restart. False when nobody listens to it; throws an `ExitError` 1 with its reason when it refuses. */
export async function askSupervisor(
  paths: Paths,
  request: Extract<ControlRequest, { do: 'stop' | 'restart' }>,
): Promise<boolean> {
  try {
    await callControl(paths.controlSocket, request, ANSWER_MS);
    return true;
  } catch (error) {
    if (error instanceof ControlUnavailable) return false;
    // It may have heard us all the same, and a signal on top of a stop would mean "at once".
    if (error instanceof ControlUnanswered) return true;
    if (!(error instanceof ControlRefused)) throw error;
    const { message, hint } = error;
    throw new ExitError(EXIT.failure, message, hint === undefined ? {} : { hint });
  }
}
