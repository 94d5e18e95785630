import { logsAnswer } from '../../lib/answers.ts';
import { logsQuery } from '../../lib/api.ts';
import { searchLog } from '../../lib/log-search.ts';
import { defineRoute, type Route } from './route.ts';

export type LogsOptions = {
  /** The newest file of the log. */
  logFile: string;
  /** Takes secrets out of a line that got into the log before they were known. */
  redact(line: string): string;
};

/** `GET /api/logs`: the log of all processes, newest first (OBS-1). */
export function logsRoutes({ logFile, redact }: LogsOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/logs',
      scope: 'operator.read',
      tag: 'Operations',
      summary: 'Reads the log, newest first',
      query: logsQuery,
      answers: { 200: logsAnswer },
      async handle({ query: { request_id: requestId, ...query } }) {
        const { logs, next, stopped } = await searchLog(logFile, { ...query, requestId }, { redact });
        return {
          logs,
          count: logs.length,
          ...(next === undefined ? {} : { next }),
          ...(stopped === undefined ? {} : { stopped }),
        };
      },
    }),
  ];
}
