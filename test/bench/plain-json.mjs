// Koa with its router and one JSON answer of a size that is asked for: what our routes behind the credential are compared with.
import Router from '@koa/router';
import Koa from 'koa';

const router = new Router();
router.get('/health', (ctx) => {
  ctx.body = { status: 'healthy' };
});
router.get('/json/:bytes', (ctx) => {
  ctx.body = { text: 'x'.repeat(Math.max(0, Number(ctx.params.bytes) - '{"text":""}'.length)) };
});
const app = new Koa();
app.use(router.routes());
app.use(router.allowedMethods());
app.listen(Number(process.argv[2]), '127.0.0.1');
