/** Ends processes by pid, through a package that knows every system and is loaded only for `--force`. */
export { default as killProcesses } from 'fkill';
