// The smallest Koa server, as anybody would write it: what our start is compared with.
import Koa from 'koa';

const app = new Koa();
app.use((ctx) => {
  ctx.body = { status: 'healthy', pid: process.pid };
});
app.listen(Number(process.argv[2]), '127.0.0.1');
