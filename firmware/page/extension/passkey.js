// Asks the browser for the passkey of a WhatsApp account, in a bar on https://web.whatsapp.com: only a page of that
// origin may. Runs as the extension's script and, pasted into the console, without it. Nothing is stored or sent.
// options: PublicKeyCredentialRequestOptionsJSON as the box gave it. back: the box's page, which then gets the answer.
function posthornPasskey(options, back) {
  const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0))
  const base64url = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')
  const request = () => PublicKeyCredential.parseRequestOptionsFromJSON?.(options) ?? {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: options.allowCredentials?.map(one => ({ ...one, id: bytes(one.id) }))
  }
  const bar = document.createElement('div')
  const add = (tag, text) => {
    const element = document.createElement(tag)
    element.textContent = text
    element.style.cssText = 'display:block;margin:8px 0;font:inherit;color:inherit'
    bar.append(element)
    return element
  }
  document.getElementById('posthorn-passkey')?.remove()
  bar.id = 'posthorn-passkey'
  bar.setAttribute('role', 'dialog')
  bar.setAttribute('aria-label', 'Posthorn')
  bar.style.cssText = 'position:fixed;inset:0 0 auto 0;z-index:2147483647;padding:12px 24px;background:#fff;color:#111;' +
    'font:18px/1.4 sans-serif;border-bottom:4px solid #0a6b5b'
  const told = add('div', 'A Posthorn box asks for your passkey' +
    (back ? '. Your answer goes to ' + new URL(back).host + '.' : '.') + ' Go on only if you are linking that box now.')
  told.setAttribute('role', 'status')
  const go = add('button', 'Use passkey')
  go.style.padding = '8px 24px'
  go.onclick = async () => {
    try {
      const credential = await navigator.credentials.get({ publicKey: request() })
      const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response
      const answer = JSON.stringify({
        id: credential.id,
        rawId: base64url(credential.rawId),
        type: credential.type,
        response: {
          clientDataJSON: base64url(clientDataJSON),
          authenticatorData: base64url(authenticatorData),
          signature: base64url(signature),
          userHandle: userHandle ? base64url(userHandle) : null
        }
      })
      go.remove()
      if (back) return location.assign(back + '#passkey=' + base64url(new TextEncoder().encode(answer)))
      told.textContent = 'Done. Copy this text and give it to the box:'
      const text = add('textarea', answer)
      text.readOnly = true
      text.style.width = '100%'
      text.select()
      add('button', 'Copy').onclick = () => { text.select(); document.execCommand('copy') }
    } catch (error) {
      told.textContent = 'That did not work: ' + error.message + ' Press the button to try again.'
    }
  }
  document.documentElement.append(bar)
  go.focus()
}
