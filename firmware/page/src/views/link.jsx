import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, Grave, Missing, Said, phoneOf, useAction, usePolled } from '../ui.jsx'
import { Passkey } from './passkey.jsx'

/** A code on a screen that nobody looks at is one that somebody else may scan. */
const kBlank = 3 * 60_000

function Code() {
  const { t } = useText()
  const [number, setNumber] = useState('')
  const [code, setCode] = useState('')
  const action = useAction()
  const ask = event => {
    event.preventDefault()
    action.run(async () => {
      const answer = await call('getAuthorizationCode', { body: { phoneNumber: number } })
      if (!answer.status) throw Object.assign(new Error(answer.message), { status: 400 })
      setCode(`${answer.code.slice(0, 4)}-${answer.code.slice(4)}`)
    })
  }
  return (
    <details>
      <summary>{t('link.noCamera')}</summary>
      <form onSubmit={ask}>
        <Field label={t('link.number')} help={t('link.numberHelp')} type="tel" autocomplete="off" required dir="ltr" value={number}
          onInput={e => setNumber(e.target.value)} />
        <button disabled={action.busy}>{t('link.showCode')}</button>
        {action.line}
      </form>
      {code && <p role="status">{t('link.type')} <strong class="code" dir="ltr">{code}</strong></p>}
    </details>
  )
}

function Picture({ qr }) {
  const { t } = useText()
  const [since, setSince] = useState(Date.now())
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5000)
    return () => clearInterval(timer)
  }, [])
  const place = useRef(null)
  const asked = useRef(false)
  // Who pressed the button goes on at what came in its place.
  useLayoutEffect(() => { if (asked.current) place.current?.focus() }, [since])
  if (now - since > kBlank) {
    const show = () => {
      asked.current = true
      setSince(Date.now())
      setNow(Date.now())
    }
    return <p><button type="button" onClick={show}>{t('link.again')}</button></p>
  }
  return <div ref={place} tabIndex={-1}><QrCode qr={qr} /></div>
}

function QrCode({ qr }) {
  const { t } = useText()
  if (qr.value?.type === 'qrCode') {
    return (
      <>
        <img class="qr" width="264" height="264" src={`data:image/png;base64,${qr.value.message}`} alt={t('link.alt')} />
        <p>{t('link.renews')}</p>
      </>
    )
  }
  if (qr.value?.type === 'error') return <p class="result" role="status">{t('link.noQr')} <span lang="en" dir="ltr">{qr.value.message}</span></p>
  if (qr.value?.type === 'alreadyLogged') return <p role="status">{t('link.finishing')}</p>
  return qr.value ? <Said text={qr.value.message} /> : <Missing state={qr} />
}

/** How to link it, or what WhatsApp wants to know first. */
function Unlinked() {
  const { t } = useText()
  const qr = usePolled(() => call('qr'), 1000)
  const [failed, setFailed] = useState('')
  const asked = useRef(false)
  const asks = qr.value?.type === 'passkeyRequired'
  useEffect(() => {
    // A try with the passkey that came to nothing: the box knows why.
    if (asked.current && !asks && qr.value) call('getPasskey').then(last => setFailed(last.message), () => {})
    asked.current = asks
  }, [asks])
  if (asks) return <Passkey />
  return (
    <>
      {failed && <Said text={failed} />}
      <ol>
        <li>{t('link.step1')}</li>
        <li>{t('link.step2')}</li>
        <li>{t('link.step3')}</li>
      </ol>
      <Picture qr={qr} />
      <Code />
    </>
  )
}

/** Linking the phone, also inside of /welcome. done: called once when it is linked. */
export function LinkPhone({ done }) {
  const { t } = useText()
  const account = usePolled(() => call('getWaSettings'), 2000)
  const told = useRef(false)
  const linked = account.value && account.value.phone
  useEffect(() => {
    if (!linked || told.current) return
    told.current = true
    done?.()
  }, [linked])
  if (!account.value) return <Missing state={account} />
  if (linked) return <p class="result good" role="status">✓ {t('link.done', { number: `+${phoneOf(account.value.phone)}` })}</p>
  return <Unlinked />
}

function Unlink({ phone }) {
  const { t } = useText()
  const [typed, setTyped] = useState('')
  const action = useAction()
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      const answer = await call('logout')
      if (!answer.isLogout) throw Object.assign(new Error('isLogout: false'), { status: 400 })
    }, t('unlink.done'))
  }
  return (
    <Card title={t('unlink.title')}>
      <p>{t('unlink.what')}</p>
      <Grave label={t('unlink.go')}>{() => (
        <form onSubmit={send}>
          <Field label={t('unlink.digits')} value={typed} onInput={e => setTyped(e.target.value)} inputMode="numeric" autocomplete="off" dir="ltr" />
          <button class="grave" disabled={action.busy || typed !== phone.slice(-4)}>{t('unlink.go')}</button>
        </form>
      )}</Grave>
      {action.line}
    </Card>
  )
}

export function Link() {
  const { t } = useText()
  const account = usePolled(() => call('getWaSettings'), 3000)
  return (
    <>
      <Card title={t('link.title')}><LinkPhone /></Card>
      {account.value?.phone && <Unlink phone={account.value.phone} />}
    </>
  )
}
