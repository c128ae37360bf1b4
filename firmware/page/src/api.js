// Everything that the page does it does through the API that tills and posthornctl use, with the session's cookie in
// place of a token. The header is what a foreign web page cannot send.
const headers = { 'X-Posthorn': '1' }

export class ApiError extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

let onLoggedOut = () => {}
let instance = 0
export function join(idInstance, loggedOut) {
  instance = idInstance
  onLoggedOut = loggedOut
}

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** A box whose plug was pulled says nothing at all, and a browser waits for minutes. */
const kAnswerWithin = { GET: 12_000, DELETE: 12_000, POST: 90_000 }

async function ask(path, options) {
  const patience = new AbortController()
  // What is sent as a file takes as long as it takes.
  const file = options.body instanceof Blob || options.body instanceof FormData
  const timer = file ? 0 : setTimeout(() => patience.abort(), kAnswerWithin[options.method] ?? kAnswerWithin.POST)
  try {
    return await fetch(path, { cache: 'no-store', ...options, signal: patience.signal, headers: { ...headers, ...options.headers } })
  } catch {
    throw new ApiError(0, '')
  } finally {
    clearTimeout(timer)
  }
}

/** fetch() cannot say how far a file has come. told: takes the share that was sent, 0 to 1. */
function post(path, options, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(options.method, path)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.onprogress = event => { if (event.lengthComputable) told(event.loaded / event.total) }
    request.onload = () => resolve(new Response(request.responseText, { status: request.status }))
    request.onerror = () => reject(new ApiError(0, ''))
    request.send(options.body)
  })
}

async function answerOf(response) {
  const text = await response.text()
  let value = null
  try { value = text ? JSON.parse(text) : null } catch { /* told below */ }
  if (!response.ok) throw new ApiError(response.status, value?.message || `HTTP ${response.status}`)
  return value
}

/** A page of the box outside of Green-API's grammar: "/session", "/healthz". */
export async function page(path, verb = 'GET', body) {
  const response = await ask(path, {
    method: verb,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })
  })
  return answerOf(response)
}

/** One method of the API. Its rate limit is waited for. told: of post(), for a body that is a file. */
export async function call(method, { body, verb, query = '', raw, told } = {}) {
  const path = `/waInstance${instance}/${method}${query}`
  const options = { method: verb ?? (body === undefined ? 'GET' : 'POST') }
  if (body instanceof Blob || body instanceof FormData) options.body = body
  else if (body !== undefined) {
    options.body = JSON.stringify(body)
    options.headers = { 'Content-Type': 'application/json' }
  }
  for (let attempt = 0; ; ++attempt) {
    const response = told ? await post(path, options, told) : await ask(path, options)
    if (response.status === 401) onLoggedOut()
    if (response.status === 429 && attempt < 3) {
      await pause(1100)
      continue
    }
    return raw && response.ok ? response : answerOf(response)
  }
}

/** Saves what a method answers as a file. */
export async function download(method, name) {
  const response = await call(method, { raw: true })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
