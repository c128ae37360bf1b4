// The stand-in of the official Cloud API in posthorn-sim (--cloud), by its control interface.
export class Graph {
  constructor(sim) {
    this.sim = sim
    this.url = sim.cloud
  }

  async start() {
    const { number_id, waba_id, phone, token, app_secret } = await this.state()
    Object.assign(this, { number: number_id, waba: waba_id, phone, token, secret: app_secret })
    await this.template('receipt')
    return this
  }

  state() {
    return this.sim.request('GET', '/cloud')
  }

  /** What was posted and taken, or would have been but for a fault that hid the answer. */
  async posts() {
    return (await this.state()).posts.filter(post => !post.refused).map(post => post.body)
  }

  set(settings) {
    return this.sim.request('POST', '/cloud/set', settings)
  }

  /** {code, details?, status?, to?, times?, where?, later?}, {drop: true} or {hang: true}. */
  fault(what) {
    return this.sim.request('POST', '/cloud/fault', what)
  }

  forward(seconds) {
    return this.sim.request('POST', '/cloud/clock', { forward: seconds })
  }

  template(name, { language = 'en_US', status = 'APPROVED', category = 'UTILITY', text = 'From us: {{1}}' } = {}) {
    return this.sim.request('POST', '/cloud/template', { name, language, status, category, components: [{ type: 'BODY', text }] })
  }

  customer(who) {
    return this.sim.request('POST', '/cloud/customer', who)
  }

  /** Somebody writes to the official number; the status of the webhook's answer. */
  async say(from, text, id, more = {}) {
    return (await this.sim.request('POST', '/cloud/say', { from, text, ...(id ? { id } : {}), ...more })).status
  }

  sendPicture(from, caption, bytes) {
    return this.say(from, undefined, undefined, { type: 'image', mime_type: 'image/png', caption, bytes: bytes.toString('base64') })
  }

  /** One webhook with that value; the answer's status. */
  async tell(value, { secret, field } = {}) {
    return (await this.sim.request('POST', '/cloud/tell', { value, ...(secret ? { secret } : {}), ...(field ? { field } : {}) })).status
  }
}
