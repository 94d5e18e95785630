/** The Chinese texts of the channels' settings, by the English ones of the schema. */
export const MANUAL_ZH_CHANNELS: Readonly<Record<string, string>> = {
  'Chat apps.': '聊天应用。',
  'Id of the channel.': '通道 id。',
  'Account of the channel.': '通道的账号。',
  'Id of the chat.': '会话 id。',
  'Telegram: what holds for every account, and the accounts.': 'Telegram:适用于所有账号的设置,以及各账号。',
  'Feishu and Lark.': '飞书与 Lark。',
  'Whether the channel runs. Default false.': '通道是否运行。默认 false。',
  'False: this account does not run.': 'false 表示该账号不运行。',
  'Whether Telegram runs.': 'Telegram 是否运行。',
  'Accounts by id; each may set the same keys.': '按 id 列出的账号;各自可设置同样的键。',
  'Token from @BotFather. Also TELEGRAM_BOT_TOKEN for the account "default".':
    '来自 @BotFather 的令牌。账号 "default" 也可用 TELEGRAM_BOT_TOKEN。',
  'Who may write in private: after pairing, listed ids, anyone, nobody. Default pairing.':
    '谁可以私聊:配对后、列出的 id、任何人、无人。默认 pairing。',
  'Numeric user ids that need no pairing, in groups neither; "*" is anyone who writes in private.':
    '无需配对的数字用户 id,群组中亦然;"*" 指任何私聊者。',
  'Who is heard in groups: anyone, listed and paired people and everybody in listed groups, nobody. Default allowlist.':
    '群组中听谁的:任何人、列出或已配对的人及列出群组中的所有人、无人。默认 allowlist。',
  'Numeric user ids that are heard in every group; "*" is anyone.': '在所有群组中都被听取的数字用户 id;"*" 指任何人。',
  'Whether the bot answers in groups only when it is mentioned or replied to. Default true.':
    '机器人在群组中是否仅在被提及或被回复时回答。默认 true。',
  'Groups by numeric id. A listed group needs no listed people; "*" holds for the groups that are not listed.':
    '按数字 id 列出的群组。列出的群组无需再列人员;"*" 适用于未列出的群组。',
  'False: the bot never listens in this group.': 'false 表示机器人从不听取该群组。',
  'Overrides requireMention of the account.': '覆盖账号的 requireMention。',
  'User ids that are heard in this group, besides those of groupAllowFrom and allowFrom and the paired ones. Left out: everybody in it.':
    '该群组中被听取的用户 id(除 groupAllowFrom、allowFrom 与已配对者之外)。留空则为群中所有人。',
  'Which parts of an answer quote the message: none, the first, each. Left out: first in groups, off in private.':
    '回答的哪些部分引用原消息:不引用、第一部分、每部分。留空:群组为 first,私聊为 off。',
  'Bot API server. Default https://api.telegram.org.': 'Bot API 服务器。默认 https://api.telegram.org。',
  'Ids that need no pairing.': '无需配对的 id。',
  'Longest single message; longer ones are split. Default 4000.': '单条消息的最大长度,超出则拆分。默认 4000。',
  'How an answer grows in the chat.': '回答如何在会话中逐步显示。',
  'Tag that the service routes by.': '服务路由所用的标签。',
  'Which of the two services. Default feishu.': '使用两个服务中的哪一个。默认 feishu。',
  'Id of the app.': '应用 id。',
  'Secret of the app.': '应用密钥。',
  'How events come in. Default websocket.': '事件接入方式。默认 websocket。',
  'Token of incoming calls; needed by webhook.': '回调的校验令牌;webhook 方式必填。',
  'Key of incoming calls; needed by webhook.': '回调的加密密钥;webhook 方式必填。',
  'Address to listen on by webhook. Default 127.0.0.1.': 'webhook 监听地址。默认 127.0.0.1。',
  'Port to listen on by webhook. Default 3000.': 'webhook 监听端口。默认 3000。',
  'Path of incoming calls. Default /feishu/events.': '回调路径。默认 /feishu/events。',
  'Who is heard in groups: anyone, listed ids, nobody.': '群组中听谁的:任何人、列出的 id、无人。',
  'Ids that are heard in every group.': '在所有群组中都被听取的 id。',
  'Whether the bot answers in groups only when it is mentioned.': '机器人在群组中是否仅在被提及时回答。',
  'How answers look. Default card.': '回答的外观。默认 card。',
  'Which reactions the agent hears of. Default own.': '智能体得知哪些表情回应。默认 own。',
  'What the agent may do besides writing.': '除书写之外智能体可做的事。',
  'Whether an answer grows in the chat.': '回答是否在会话中逐步显示。',
  'Tools of the service: doc, wiki, drive, perm, bitable, scopes.':
    '服务的工具:doc、wiki、drive、perm、bitable、scopes。',
  'Account used when nothing names one.': '未指定时使用的账号。',
  'How many of the newest messages in a group that speak to others the model is told with the next question. Default 50.':
    '群组中对他人所说的最新消息,有多少条随下一个问题告知模型。默认 50。',
  'How an answer shows while it is written: not at all, as it grows, by whole paragraphs and sentences. Default partial.':
    '回答书写时如何显示:不显示、逐步增长、按完整段落与句子。默认 partial。',
  'Messages per second in all; more than 30 need a paid bot. Default 25.':
    '每秒消息总数;超过 30 需要付费机器人。默认 25。',
  'Longest part of an answer, 1 to 4096 characters (UTF-16 units). Default what Telegram takes.':
    '回答单段的最大长度,1 到 4096 个字符(UTF-16 单元)。默认为 Telegram 所允许的长度。',
  'Public https address of this gateway: Telegram sends messages there instead of being polled. Without a path, /api/webhook/telegram/<account> is added.':
    '本网关的公网 https 地址:Telegram 将消息发到此处,不再轮询。不含路径时自动加上 /api/webhook/telegram/<account>。',
  'What Telegram proves itself with at webhookUrl. Left out: one is generated and kept in credentials/.':
    'Telegram 在 webhookUrl 处证明身份所用的密钥。留空则自动生成并保存在 credentials/。',
  'HTTP proxy on the way to Telegram, http:// or https://, with credentials if it wants any; "none" for none. Left out: HTTPS_PROXY, ALL_PROXY and NO_PROXY of the environment.':
    '通往 Telegram 的 HTTP 代理(http:// 或 https://),如需要可带凭据;"none" 表示不用。留空则取环境变量 HTTPS_PROXY、ALL_PROXY 与 NO_PROXY。',
  'Who else than Telegram brings messages to /api/webhook/telegram: programs that sign with these secrets.':
    '除 Telegram 之外谁可以向 /api/webhook/telegram 送来消息:用这些密钥签名的程序。',
  'How senders sign: "standard" (standardwebhooks.com), "github", "stripe", "slack", or "hmac" (X-Timestamp and X-Signature) for programs of your own.':
    '发送方如何签名:"standard"(standardwebhooks.com)、"github"、"stripe"、"slack",或供自己的程序使用的 "hmac"(X-Timestamp 与 X-Signature)。',
  'What senders sign with. Several while one is being changed for another.':
    '发送方签名所用的密钥。更换期间可以有多个。',
  'What a body of another form than {"event", "data"} says: texts with {{field.of.body}} in them. Left out: the body must have that form.':
    '请求体不是 {"event", "data"} 形式时如何理解:含 {{请求体.字段}} 的文本。留空则请求体必须是该形式。',
  'Id of the sender. Left out: that of the chat.': '发送者 id。留空则与会话 id 相同。',
  'Name of the sender.': '发送者名称。',
  'What the agent is told.': '告诉智能体的内容。',
  'Id of the event: the same one is taken in once.': '事件 id:相同的只接收一次。',
  'Programs of your own that bring messages and hear the answers.': '自己的程序:送来消息并接收回答。',
  'Whether the channel runs.': '通道是否运行。',
  'Where answers are posted, signed as Standard Webhooks. Left out: they are read from the events and the session.':
    '回答发送到的地址,按 Standard Webhooks 签名。留空则从事件和会话中读取。',
  'What answers are signed with: "whsec_" and base64.': '回答签名所用的密钥:"whsec_" 加 base64。',
  'Whose messages are let in, by sender_id, besides that their sender must hold a secret. Default open.':
    '除发送方须持有密钥之外,按 sender_id 决定接收谁的消息。默认 open。',
  'Values of sender_id that need no pairing; "*" is anyone.': '无需配对的 sender_id;"*" 指任何人。',
  'Longest part of an answer, 1 to 100000 characters. Default 100000.':
    '回答单段的最大长度,1 到 100000 个字符。默认 100000。',
  'Hosts of your own network, with their port unless it is the usual one, that callbackUrl may name. Left out: only the public internet.':
    'callbackUrl 可以指向的内网主机,非默认端口须写明。留空则仅限公网。',
  'Weixin: what holds for every account, and the accounts.': '微信:适用于所有账号的设置,以及各账号。',
  'Whether Weixin runs.': '微信是否运行。',
  'Who may write: after pairing, listed ids, anyone, nobody; whoever scanned the QR code always. Default pairing.':
    '谁可以写消息:配对后、列出的 id、任何人、无人;扫码登录者始终可以。默认 pairing。',
  'Ids that need no pairing; "*" is anyone.': '无需配对的 id;"*" 指任何人。',
  'Longest part of an answer, 1 to 4000 characters. Default 2000: some accounts cut longer ones.':
    '回答单段的最大长度,1 到 4000 个字符。默认 2000:部分账号会截断更长的内容。',
  'Server that logs in.': '登录服务器。',
  'Programs that sign with these secrets bring messages to /api/webhook/weixin.':
    '用这些密钥签名的程序可以向 /api/webhook/weixin 送来消息。',
};
