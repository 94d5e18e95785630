// A bare Koa for pm2, with the graceful shutdown and start that its manual recommends ("Graceful Start/Shutdown").
import Koa from 'koa';

const app = new Koa();
app.use((ctx) => {
  ctx.body = { status: 'healthy', pid: process.pid };
});
const server = app.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.('ready'));
process.on('SIGINT', () => {
  server.close((error) => process.exit(error === undefined ? 0 : 1));
});
