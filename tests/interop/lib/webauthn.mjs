// An authenticator and the client in front of it, written from W3C Web Authentication Level 3 (sections 5.1.4, 5.8.1,
// 6.1 and 6.3.3) with Node's crypto alone: what a browser on https://web.whatsapp.com answers with a passkey.
import { createHash, createPrivateKey, sign } from 'node:crypto'

const sha256 = data => createHash('sha256').update(data).digest()
const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04

/** key: PKCS#8 in base64; id, userHandle: base64. */
export class Authenticator {
  constructor({ key, id, userHandle }) {
    this.key = createPrivateKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'pkcs8' })
    this.id = Buffer.from(id, 'base64')
    this.userHandle = Buffer.from(userHandle, 'base64')
    this.signCount = 0
  }

  /** options: PublicKeyCredentialRequestOptionsJSON. Gives an AuthenticationResponseJSON. */
  get(options, origin = 'https://web.whatsapp.com') {
    const allowed = options.allowCredentials ?? []
    const known = allowed.some(one => Buffer.from(one.id, 'base64url').equals(this.id))
    if (allowed.length > 0 && !known) throw new Error('NotAllowedError: no such credential here')
    const clientDataJSON = Buffer.from(JSON.stringify({
      type: 'webauthn.get',
      challenge: Buffer.from(options.challenge, 'base64url').toString('base64url'),
      origin,
      crossOrigin: false
    }))
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(++this.signCount)
    const rpId = options.rpId ?? new URL(origin).hostname
    const authenticatorData = Buffer.concat([sha256(rpId), Buffer.from([USER_PRESENT | USER_VERIFIED]), counter])
    // ES256: ECDSA over SHA-256, in DER.
    const signature = sign('sha256', Buffer.concat([authenticatorData, sha256(clientDataJSON)]), this.key)
    const text = bytes => bytes.toString('base64url')
    return {
      id: text(this.id),
      rawId: text(this.id),
      type: 'public-key',
      authenticatorAttachment: 'cross-platform',
      clientExtensionResults: {},
      response: {
        clientDataJSON: text(clientDataJSON),
        authenticatorData: text(authenticatorData),
        signature: text(signature),
        userHandle: text(this.userHandle)
      }
    }
  }
}
