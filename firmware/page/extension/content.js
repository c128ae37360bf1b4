// The box's page opens https://web.whatsapp.com/#posthorn=BASE64URL(options)&back=ADDRESS
(() => {
  const asked = new URLSearchParams(location.hash.slice(1))
  if (!asked.has('posthorn')) return
  history.replaceState(null, '', location.pathname)
  // An answer only ever goes to a place that nobody on the Internet can own: a name or address of the shop's network.
  const local = /^(localhost|[^.:]+|.+\.(local|lan|home\.arpa)|(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))(\.\d+)+|\[f[de].*\]|\[::1\])$/
  const back = asked.get('back')
  const isLocal = text => {
    const url = URL.canParse(text) ? new URL(text) : null
    return url !== null && /^https?:$/.test(url.protocol) && local.test(url.hostname) && url.hash === ''
  }
  if (back !== null && !isLocal(back)) return
  const coded = asked.get('posthorn').replace(/-/g, '+').replace(/_/g, '/')
  const text = new TextDecoder().decode(Uint8Array.from(atob(coded), c => c.charCodeAt(0)))
  posthornPasskey(JSON.parse(text), back)
})()
