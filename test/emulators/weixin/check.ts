import type { IncomingCall } from '../core/http-server.ts';
import { isJsonObject } from '../core/json.ts';

/** What a client of the real service would not send; undefined when all is well. The protocol's own rules, not the product's. */
export function findViolation({ method, path, headers, query }: IncomingCall, body: unknown): string | undefined {
  if (headers['ilink-app-id'] !== 'bot') return 'iLink-App-Id must be bot';
  if (!/^\d+$/.test(String(headers['ilink-app-clientversion']))) return 'iLink-App-ClientVersion must be a number';
  if (method === 'GET') return query.has('qrcode') ? undefined : 'qrcode is missing';
  if (headers['content-type'] !== 'application/json') return 'Content-Type must be application/json';
  if (headers['authorizationtype'] !== 'ilink_bot_token') return 'AuthorizationType must be ilink_bot_token';
  const uin = Buffer.from(String(headers['x-wechat-uin']), 'base64').toString();
  if (!/^\d{1,10}$/.test(uin) || Number(uin) > 0xffffffff) return 'X-WECHAT-UIN must be base64 of a decimal uint32';
  if (!isJsonObject(body)) return 'the body must be a JSON object';
  const info = body['base_info'];
  if (!isJsonObject(info) || typeof info['channel_version'] !== 'string') return 'base_info.channel_version is missing';
  if (!/^[\x21-\x7e]{1,256}$/.test(String(info['bot_agent']))) return 'base_info.bot_agent must be printable ASCII';
  return path.endsWith('/sendmessage') ? findBadMessage(body['msg']) : undefined;
}

function findBadMessage(msg: unknown): string | undefined {
  if (!isJsonObject(msg)) return 'msg is missing';
  if (msg['from_user_id'] !== '') return 'from_user_id must be empty';
  if (msg['message_type'] !== 2 || msg['message_state'] !== 2) return 'message_type and message_state must be 2';
  if (typeof msg['client_id'] !== 'string' || msg['client_id'] === '') return 'client_id is missing';
  if (typeof msg['to_user_id'] !== 'string' || !msg['to_user_id'].endsWith('@im.wechat'))
    return 'to_user_id is no person';
  const items = msg['item_list'];
  if (!Array.isArray(items) || items.length !== 1) return 'item_list must hold one item';
  const [item] = items as unknown[];
  if (!isJsonObject(item) || item['type'] !== 1) return 'only text items are known';
  const text = item['text_item'];
  return isJsonObject(text) && typeof text['text'] === 'string' && text['text'] !== ''
    ? undefined
    : 'the text is empty';
}
