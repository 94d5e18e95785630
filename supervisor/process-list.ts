/** All processes, through a package that knows every system and is loaded only where there is no `/proc`. */
export { default as listProcesses } from 'ps-list';
