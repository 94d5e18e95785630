import { EmulatorClock } from '../core/clock.ts';
import { announce, readArguments } from '../core/entry.ts';
import { listen } from '../core/http-server.ts';
import { TelegramApp } from './app.ts';

const { port, seed } = readArguments(process.argv.slice(2));
const app = new TelegramApp(new EmulatorClock(), seed);
announce(await listen(port, (call) => app.handle(call)));
