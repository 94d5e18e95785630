import { EmulatorClock } from '../core/clock.ts';
import { announce, readArguments } from '../core/entry.ts';
import { listen } from '../core/http-server.ts';
import { WeixinApp } from './app.ts';

const app = new WeixinApp(new EmulatorClock());
const { port } = readArguments(process.argv.slice(2));
announce(await listen(port, (call) => app.handle(call)));
