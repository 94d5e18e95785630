/** What a run tells those who follow it. The last event is always `result` or `error`. */
export type RunEvent =
  | { type: 'status'; status: 'accepted' | 'running'; run_id: string }
  | { type: 'token'; content: string }
  | { type: 'reasoning'; content: string }
  | { type: 'error'; code: string; message: string }
  | { type: 'result'; run_id: string; status: 'ok' | 'aborted'; reply: string };

export type RunResult =
  | { status: 'ok' | 'aborted'; reply: string }
  | { status: 'error'; code: string; message: string; isTimeout: boolean };

export type RunWatch = {
  /** Settles with the run's end; never rejects. */
  done: Promise<RunResult>;
  stop(): void;
};

export type Runs = {
  /** Follows a run by id, also before it has begun. */
  watch(runId: string, onEvent?: (event: RunEvent) => void): RunWatch;
  emit(runId: string, event: RunEvent): void;
  settle(runId: string, result: RunResult): void;
  /** Registers the run that is being worked on, so that it can be aborted. Returns its signal. */
  begin(runId: string, sessionKey: string): AbortSignal;
  end(runId: string): void;
  /** Aborts the run, or the one running in the session; false when there is none. */
  abort(target: { runId: string } | { sessionKey: string }): boolean;
  /** Whether this worker is answering in a session. */
  isRunning(sessionKey: string): boolean;
  /** Aborts every run. */
  abortAll(): void;
  readonly active: number;
};

type Follower = { onEvent: ((event: RunEvent) => void) | undefined; resolve(result: RunResult): void };

/** Keeps track of the agent turns of this worker: who follows them and how to stop them. */
export function createRuns(): Runs {
  const followers = new Map<string, Set<Follower>>();
  const active = new Map<string, { sessionKey: string; controller: AbortController }>();

  return {
    watch(runId, onEvent) {
      const set = followers.get(runId) ?? new Set<Follower>();
      followers.set(runId, set);
      const { promise, resolve } = withResolvers<RunResult>();
      const follower: Follower = { onEvent, resolve };
      set.add(follower);
      return {
        done: promise,
        stop() {
          set.delete(follower);
          if (set.size === 0 && followers.get(runId) === set) followers.delete(runId);
        },
      };
    },
    emit(runId, event) {
      for (const follower of followers.get(runId) ?? []) follower.onEvent?.(event);
    },
    settle(runId, result) {
      const set = followers.get(runId);
      followers.delete(runId);
      for (const follower of set ?? []) follower.resolve(result);
    },
    begin(runId, sessionKey) {
      const controller = new AbortController();
      active.set(runId, { sessionKey, controller });
      return controller.signal;
    },
    end(runId) {
      active.delete(runId);
    },
    abort(target) {
      const entry =
        'runId' in target
          ? active.get(target.runId)
          : [...active.values()].find((run) => run.sessionKey === target.sessionKey);
      entry?.controller.abort();
      return entry !== undefined;
    },
    isRunning: (sessionKey) => [...active.values()].some((run) => run.sessionKey === sessionKey),
    abortAll() {
      for (const { controller } of active.values()) controller.abort();
    },
    get active() {
      return active.size;
    },
  };
}

function withResolvers<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
