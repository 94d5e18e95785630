// Koa with its router and one route: what our HTTP throughput is compared with.
import Router from '@koa/router';
import Koa from 'koa';

const router = new Router();
const startedAt = Date.now();
router.get('/health', (ctx) => {
  ctx.body = { status: 'healthy', uptime: Math.floor((Date.now() - startedAt) / 1_000) };
});
const app = new Koa();
app.use(router.routes());
app.use(router.allowedMethods());
app.listen(Number(process.argv[2]), '127.0.0.1');
