/** What a person may order in a chat, beside asking the agent. */
export type ControlCommand = 'new' | 'stop' | 'status' | 'help' | 'resume';

const COMMANDS: Readonly<Record<string, ControlCommand>> = {
  '/new': 'new',
  '/reset': 'new',
  '/stop': 'stop',
  '/status': 'status',
  '/help': 'help',
  // What Telegram sends when a chat is opened.
  '/start': 'help',
  '/resume': 'resume',
};

/** The order that a message consists of; undefined when it is a question for the agent. */
export function readCommand(text: string): ControlCommand | undefined {
  const word = text.trim().toLowerCase();
  return Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
}

/** What a conversation is doing when an order comes in. */
export type Situation = { isRunning: boolean; waiting: number; parked: number; model: string; messages: number };

/** What the person is told. The order itself is carried out with it, or right after it was written down (IN-2). */
export function answerCommand(command: ControlCommand, situation: Situation): string {
  const { isRunning, waiting, parked, model, messages } = situation;
  switch (command) {
    case 'new':
      return 'A new conversation begins. What was said before is kept, but the assistant no longer reads it.';
    case 'stop':
      return isRunning ? 'Stopped.' : 'Nothing is running.';
    case 'status':
      return [
        `Model: ${model}`,
        `Conversation: ${count(messages, 'message')}`,
        `Now: ${isRunning ? 'answering' : 'idle'}${waiting > 0 ? `, ${count(waiting, 'message')} waiting` : ''}`,
        ...(parked > 0 ? [`Set aside: ${count(parked, 'message')}; /resume tries again`] : []),
      ].join('\n');
    case 'help':
      return [
        'Write a message and the assistant answers.',
        '',
        '/new – begin a new conversation',
        '/stop – stop the running answer',
        '/status – what is going on',
        '/resume – try again what was set aside',
        '/help – this list',
      ].join('\n');
    case 'resume':
      return parked > 0 ? `Trying again: ${count(parked, 'message')}.` : 'Nothing was set aside.';
    default:
      return command satisfies never;
  }
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
