import * as v from 'valibot';

/** The answers of the HTTP API about what channels take in and send out, and about their logins. */

export const heldAnswer = v.strictObject({
  status: v.literal('held'),
  message_id: v.string(),
  reason: v.pipe(v.string(), v.description('Why it is committed, but not on its way.')),
});

export const loginAnswer = v.strictObject({
  status: v.literal('ok'),
  session_key: v.pipe(v.string(), v.description('Names this login.')),
  account_id: v.string(),
  step: v.pipe(
    v.picklist(['starting', 'scan', 'confirm', 'code', 'done', 'failed']),
    v.description(
      'Scan: draw "qr" and scan it with the phone. Confirm: on the phone. Code: send the digits that the phone shows.',
    ),
  ),
  expires_at: v.pipe(v.string(), v.isoTimestamp(), v.description('When it is given up.')),
  qr: v.exactOptional(v.pipe(v.string(), v.description('The text of the QR code.'))),
  problem: v.exactOptional(v.pipe(v.string(), v.description('What went wrong, and what to do about it.'))),
});

export const webhookAnswer = v.pipe(
  v.looseObject({ status: v.exactOptional(v.picklist(['ok', 'ignored'])), message_id: v.exactOptional(v.string()) }),
  v.description('A program hears what became of its event, a platform what it wants to hear.'),
);

export type LoginAnswer = v.InferOutput<typeof loginAnswer>;
