// A stand-in for the official Cloud API on loopback: takes messages and media, tells what became of them by signed
// webhooks, and fails as the test says. It shares no code with the box.
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'

export class Graph {
  constructor() {
    this.number = '106540352242922'
    this.token = 'EAAG-stand-in'
    this.secret = 'app-secret-of-the-stand-in'
    this.posts = [] // bodies of messages, as they came
    this.uploads = []
    this.faults = [] // {status, code, details} | 'drop' | 'hang', for the next messages
    this.windows = new Set() // digits of those who wrote within 24 hours
    this.directSend = false
    this.templates = new Set(['receipt'])
    this.statuses = ['sent', 'delivered', 'read']
    this.pricing = []
    this.made = 0
    this.server = createServer((request, response) => this.onRequest(request, response))
  }

  async start() {
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${this.server.address().port}`
    return this
  }

  stop() {
    this.server.close()
    this.server.closeAllConnections?.()
  }

  onRequest(request, response) {
    const pieces = []
    request.on('data', piece => pieces.push(piece))
    request.on('end', () => {
      const body = Buffer.concat(pieces)
      const path = new URL(request.url, 'http://x').pathname
      const send = (status, value) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(value))
      }
      const refuse = (status, code, details) => send(status, { error: { message: `(#${code}) refused`, type: 'OAuthException', code, error_data: { messaging_product: 'whatsapp', details }, fbtrace_id: 'A1' } })
      if (request.headers.authorization !== `Bearer ${this.token}`) return refuse(401, 190, 'the token is wrong')
      if (path === `/v26.0/${this.number}` && request.method === 'GET') {
        return send(200, { id: this.number, display_phone_number: '+49 1555 0009999', verified_name: 'Shop', quality_rating: 'GREEN', status: 'CONNECTED' })
      }
      if (path === `/v26.0/${this.number}/media`) {
        const text = body.toString('latin1')
        const start = text.indexOf('\r\n\r\n', text.indexOf('filename=')) + 4
        this.uploads.push({ type: /name="type"\r\n\r\n([^\r]+)/.exec(text)?.[1], bytes: body.subarray(start, text.lastIndexOf('\r\n--')) })
        return send(200, { id: String(9000 + this.uploads.length) })
      }
      if (path === '/v26.0/771') return send(200, { id: '771', url: `${this.url}/lookaside/771`, mime_type: 'image/png', sha256: '', file_size: String(this.picture.length) })
      if (path === '/lookaside/771') {
        response.writeHead(200, { 'content-type': 'image/png' })
        return response.end(this.picture)
      }
      if (path !== `/v26.0/${this.number}/messages`) return refuse(400, 100, `nothing is at ${path}`)
      this.onMessage(JSON.parse(body), { send, refuse, response })
    })
  }

  onMessage(message, { send, refuse, response }) {
    this.posts.push(message)
    const fault = this.faults.shift()
    if (fault === 'hang') return
    if (fault && fault !== 'drop') return refuse(fault.status, fault.code, fault.details ?? 'as the test says')
    if (message.messaging_product !== 'whatsapp' || !/^\d+$/.test(message.to ?? '')) return refuse(400, 100, 'no message')
    if (message.category && !this.directSend) return refuse(400, 100, "Direct Send isn't enabled for this account")
    if (message.type === 'template' && !this.templates.has(message.template.name)) return refuse(404, 132001, 'no such template')
    const id = `wamid.STANDIN${++this.made}`
    const free = message.type !== 'template' && !message.category
    const closed = free && !this.windows.has(message.to)
    if (fault === 'drop') response.socket.destroy()
    else send(200, { messaging_product: 'whatsapp', contacts: [{ input: message.to, wa_id: message.to }], messages: [{ id }] })
    if (this.webhook) setTimeout(() => this.tellStatuses(id, message, free, closed), 20)
  }

  async tellStatuses(id, message, free, closed) {
    const base = { id, timestamp: String(Math.floor(Date.now() / 1000)), recipient_id: message.to, biz_opaque_callback_data: message.biz_opaque_callback_data }
    if (closed) {
      return this.tell({ statuses: [{ ...base, status: 'failed', errors: [{ code: 131047, title: 'Re-engagement message', error_data: { details: 'more than 24 hours' } }] }] })
    }
    const pricing = { billable: true, pricing_model: 'PMP', category: free ? 'service' : 'utility', type: 'regular' }
    this.pricing.push(pricing)
    // Duplicates and a changed order are normal.
    for (const status of [this.statuses[0], this.statuses[1], this.statuses[0], this.statuses[2], this.statuses[1]]) {
      if (status) await this.tell({ statuses: [{ ...base, status, ...(status === 'read' ? {} : { pricing }) }] })
    }
  }

  /** Somebody writes to the official number. */
  async say(from, text, id = `wamid.IN${++this.made}`) {
    this.windows.add(from)
    return this.tell({
      contacts: [{ profile: { name: 'Ida' }, wa_id: from, user_id: 'DE.1a2b' }],
      messages: [{ from, from_user_id: 'DE.1a2b', id, timestamp: String(Math.floor(Date.now() / 1000)), type: 'text', text: { body: text } }]
    })
  }

  /** Somebody sends a picture there. */
  sendPicture(from, caption, bytes) {
    this.picture = bytes
    this.windows.add(from)
    return this.tell({
      contacts: [{ profile: { name: 'Ida' }, wa_id: from, user_id: 'DE.1a2b' }],
      messages: [{ from, id: `wamid.IN${++this.made}`, timestamp: String(Math.floor(Date.now() / 1000)), type: 'image', image: { id: '771', mime_type: 'image/png', caption } }]
    })
  }

  /** One webhook; the answer's status. */
  async tell(value, { secret = this.secret } = {}) {
    const body = JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [{ id: '102290129340398', changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { display_phone_number: '4915550009999', phone_number_id: this.number }, ...value } }] }]
    }).replace(/[\u0080-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    try {
      const answer = await fetch(this.webhook, { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature }, body })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return 0
    }
  }
}
