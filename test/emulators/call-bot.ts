/** Calls a Bot API method with JSON parameters, without any client library in between. */
export async function callBot(url: string, token: string, method: string, params: object = {}, signal?: AbortSignal) {
  const response = await fetch(`${url}/bot${token}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(params),
    ...(signal === undefined ? {} : { signal }),
  });
  const { ok, result, description, parameters } = JSON.parse(await response.text());
  return { status: response.status, headers: response.headers, ok, result, description, parameters };
}
