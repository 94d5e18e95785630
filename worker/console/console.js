// The web chat: one session, its transcript, streamed answers. A client of the public API only.

const TEXTS = {
  en: {
    token: 'Token of the gateway (xopc gateway token --show)',
    signIn: 'Sign in',
    wrong: 'This token is not the right one.',
    message: 'Message',
    send: 'Send',
    empty: 'Say something to the assistant.',
    online: 'connected',
    offline: 'not reachable, trying again …',
    lost: 'The connection was lost; the answer will appear here when it is done.',
  },
  zh: {
    token: '网关令牌(xopc gateway token --show)',
    signIn: '登录',
    wrong: '令牌不正确。',
    message: '消息',
    send: '发送',
    empty: '和助手说点什么吧。',
    online: '已连接',
    offline: '无法连接,正在重试…',
    lost: '连接已中断;回答完成后会显示在这里。',
  },
};

const CHAT = 'default';
const RETRY_MS = 3_000;

const language = navigator.language.startsWith('zh') ? 'zh' : 'en';
const text = TEXTS[language];
const find = (id) => document.getElementById(id);
const [messages, signIn, composer, state] = ['messages', 'sign-in', 'composer', 'state'].map(find);

start();

function start() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  signIn.querySelector('label').textContent = text.token;
  signIn.querySelector('button').textContent = text.signIn;
  composer.querySelector('label').textContent = text.message;
  composer.querySelector('button').textContent = text.send;
  takeTokenFromAddress();
  signIn.addEventListener('submit', onSignIn);
  composer.addEventListener('submit', onSubmit);
  find('text').addEventListener('keydown', (event) => {
    // Enter also confirms an input method's choice; only a bare one sends.
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      composer.requestSubmit();
    }
  });
  load();
}

/** The link that the gateway prints carries the token behind the hash; it must not stay in the address or the history. */
function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return;
  sessionStorage.setItem('token', token);
  history.replaceState(null, '', location.pathname);
}

function call(path, options = {}) {
  const token = sessionStorage.getItem('token');
  const headers = { ...options.headers, ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
  return fetch(path, { ...options, headers });
}

function send(path, body, headers = {}) {
  return call(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** Shows what the session holds now: who may see it, the transcript, and what is being answered. */
async function load() {
  try {
    const opened = await send('/api/sessions', { chat_id: CHAT });
    if (opened.status === 401) return askForToken();
    const { key } = (await opened.json()).session;
    const { session } = await (await call(`/api/sessions/${encodeURIComponent(key)}?limit=200`)).json();
    state.textContent = text.online;
    signIn.hidden = true;
    composer.hidden = false;
    show([...session.messages, ...session.pending]);
    if (session.pending.length > 0) setTimeout(load, RETRY_MS);
    find('text').focus();
  } catch {
    state.textContent = text.offline;
    setTimeout(load, RETRY_MS);
  }
}

function askForToken() {
  state.textContent = sessionStorage.getItem('token') === null ? '' : text.wrong;
  sessionStorage.removeItem('token');
  composer.hidden = true;
  signIn.hidden = false;
  find('token').focus();
}

function onSignIn(event) {
  event.preventDefault();
  sessionStorage.setItem('token', find('token').value.trim());
  find('token').value = '';
  load();
}

function show(list) {
  messages.replaceChildren();
  for (const { role, content, error } of list) add(role, content, error === true);
  if (list.length > 0) return;
  const hint = document.createElement('p');
  hint.textContent = text.empty;
  messages.append(hint);
}

function add(role, content, isError) {
  messages.querySelector('p')?.remove();
  const article = document.createElement('article');
  article.className = `${role}${isError ? ' error' : ''}`;
  article.textContent = content;
  messages.append(article);
  messages.scrollTop = messages.scrollHeight;
  return article;
}

async function onSubmit(event) {
  event.preventDefault();
  const field = find('text');
  const message = field.value.trim();
  if (message === '') return;
  field.value = '';
  const button = composer.querySelector('button');
  button.disabled = true;
  add('user', message, false);
  const answer = add('assistant', '', false);
  try {
    await streamAnswer(message, answer);
  } catch {
    state.textContent = text.lost;
    setTimeout(load, RETRY_MS);
  } finally {
    button.disabled = false;
  }
}

async function streamAnswer(message, answer) {
  const headers = { Accept: 'text/event-stream', 'Idempotency-Key': crypto.randomUUID() };
  const response = await send('/api/agent', { message, session: CHAT }, headers);
  if (response.status === 401) return askForToken();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  let ended = false;
  for await (const { type, data } of readEvents(response.body)) {
    if (type === 'token') answer.textContent += data.content;
    if (type === 'result') answer.textContent = data.reply;
    if (type === 'error') {
      answer.textContent = data.message;
      answer.classList.add('error');
    }
    ended ||= type === 'result' || type === 'error';
    messages.scrollTop = messages.scrollHeight;
  }
  if (!ended) throw new Error('The stream ended before its result');
  state.textContent = text.online;
}

async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const blocks = (rest + chunk.value).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const type = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (type !== undefined && data !== undefined) yield { type, data: JSON.parse(data) };
    }
  }
}
