/** What the built-in assistant says, per language. */
export const offlineTexts = {
  en: {
    received: (quoted: string) => `I received: “${quoted}”`,
    noModel: 'No model is configured yet, so this is the gateway itself answering.',
    howTo: 'To get real answers, add a provider and a model to xopc.json, for example:',
    help: 'I am the built-in assistant of this gateway. I can tell you that your messages arrive and how to connect a model; /help, /status and /new work as usual.',
    status: 'The gateway is running and your message arrived.',
  },
  zh: {
    received: (quoted: string) => `我收到了：“${quoted}”`,
    noModel: '目前还没有配置模型，所以这是网关自己的回复。',
    howTo: '要得到真正的回答，请在 xopc.json 中添加 provider 和模型，例如：',
    help: '我是网关内置的助手，可以告诉你消息已经送达，以及如何接入模型；/help、/status 和 /new 照常可用。',
    status: '网关正在运行，你的消息已经送达。',
  },
} as const;
