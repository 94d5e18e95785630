/** How long what waits, in milliseconds. */
export type WeixinTiming = {
  /** A poll that has nothing to tell, unless the service says otherwise. */
  longPollMs: number;
  /** On top before a poll is abandoned. */
  graceMs: number;
  /** After the first failed polls, and after further ones. */
  retryMs: number;
  retryLaterMs: number;
  /** Between two looks at a QR code that is shown. */
  loginPollMs: number;
  loginMs: number;
};

/** The timing of the product; tests shorten it. */
export const WEIXIN_TIMING: WeixinTiming = {
  longPollMs: 35_000,
  graceMs: 5_000,
  retryMs: 2_000,
  retryLaterMs: 30_000,
  loginPollMs: 1_000,
  loginMs: 8 * 60_000,
};
