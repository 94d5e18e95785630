// Koa with the usual JSON parser, echoing what it was sent: what our durable messages are compared with. Anything else gets a greeting.
import Koa from 'koa';
import { koaBody } from 'koa-body';

const app = new Koa();
app.use(koaBody());
app.use((ctx) => {
  ctx.body = ctx.method === 'POST' ? ctx.request.body : { status: 'healthy' };
});
app.listen(Number(process.argv[2]), '127.0.0.1');
