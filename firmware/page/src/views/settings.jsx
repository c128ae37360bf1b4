import { useEffect, useState } from 'preact/hooks'
import { call, page } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Copy, Field, Grave, Missing, Password, Said, useAction, usePolled } from '../ui.jsx'

/** What a till needs, ready to be copied; also the end of /welcome. */
export function TillAccess() {
  const { t } = useText()
  const [round, setRound] = useState(0)
  const access = usePolled(() => call('getAccess'), 3_600_000, round)
  const renew = useAction()
  if (!access.value) return <Missing state={access} />
  const { idInstance, apiTokenInstance, tokenFixed } = access.value
  const url = location.origin
  const curl = `curl -X POST ${url}/waInstance${idInstance}/sendMessage/${apiTokenInstance} -H "Content-Type: application/json" -d "{\\"chatId\\":\\"4915550001234@c.us\\",\\"message\\":\\"Hello\\"}"`
  return (
    <>
      <p>{t('till.what')}</p>
      <Copy label="apiUrl" value={url} />
      <Copy label="idInstance" value={String(idInstance)} />
      <Copy label="apiTokenInstance" value={apiTokenInstance} secret />
      <Copy label={t('till.curl')} value={curl} secret />
      <p>{t('till.curlHelp')}</p>
      {tokenFixed ? <p>{t('till.fixed')}</p> : (
        <Grave label={t('till.renew')}>{close => (
          <>
            <p>{t('till.renewSure')}</p>
            <button type="button" class="grave" disabled={renew.busy}
              onClick={() => renew.run(() => call('updateApiToken').then(() => { setRound(round + 1); close() }), t('till.renewed'))}>{t('till.renew')}</button>
          </>
        )}</Grave>
      )}
      {renew.line}
    </>
  )
}

const kSwitches = ['incomingWebhook', 'outgoingWebhook', 'outgoingMessageWebhook', 'outgoingAPIMessageWebhook', 'stateWebhook',
  'incomingCallWebhook', 'markIncomingMessagesReaded', 'markIncomingMessagesReadedOnReply', 'keepOnlineStatus']

/** What came of the last attempts, and one more to try it out. */
function Answers({ status }) {
  const { t, time } = useText()
  const action = useAction()
  return (
    <>
      <p><button type="button" class="quiet" disabled={action.busy} onClick={() => action.run(() => call('testWebhook', { body: {} }), t('webhook.tested'))}>{t('webhook.test')}</button></p>
      {action.line}
      {status.answers.length > 0 && (
        <details>
          <summary>{t('webhook.answers')}</summary>
          <ul class="list">{[...status.answers].reverse().map((one, i) => (
            <li key={i}><p>{time(one.time)} {one.test && <span class="tag">{t('webhook.isTest')}</span>} <span class="sign" aria-hidden="true">{one.taken ? '✓' : '✕'}</span> <span lang="en" dir="ltr">{one.what}</span></p></li>
          ))}</ul>
        </details>
      )}
    </>
  )
}

function Webhook() {
  const { t } = useText()
  const [values, setValues] = useState(null)
  const [failure, setFailure] = useState(null)
  const status = usePolled(() => call('getWebhookStatus'), 10_000)
  const action = useAction()
  useEffect(() => {
    call('getSettings').then(now => setValues({
      webhookUrl: now.webhookUrl, webhookUrlToken: now.webhookUrlToken,
      ...Object.fromEntries(kSwitches.map(name => [name, now[name] === 'yes' || now[name] === true]))
    })).catch(setFailure)
  }, [])
  if (!values) return <Missing state={{ value: null, error: failure }} />
  const set = (name, value) => setValues({ ...values, [name]: value })
  const send = event => {
    event.preventDefault()
    const body = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === 'boolean' ? (value ? 'yes' : 'no') : value]))
    action.run(() => call('setSettings', { body }), t('saved'))
  }
  return (
    <form onSubmit={send}>
      <p>{t('webhook.what')}</p>
      <Field label="webhookUrl" type="url" dir="ltr" autocomplete="off" value={values.webhookUrl} onInput={e => set('webhookUrl', e.target.value)} help={t('webhook.urlHelp')} />
      <Field label="webhookUrlToken" dir="ltr" autocomplete="off" value={values.webhookUrlToken} onInput={e => set('webhookUrlToken', e.target.value)} />
      <fieldset>
        <legend>{t('webhook.which')}</legend>
        {kSwitches.map(name => (
          <label class="check" key={name}><input type="checkbox" checked={values[name]} onChange={e => set(name, e.target.checked)} /> {t(`set.${name}`)}</label>
        ))}
      </fieldset>
      <button disabled={action.busy}>{t('save')}</button>
      {action.line}
      {values.webhookUrl && status.value && <><Said text={status.value.sentence} /><Said text={status.value.whatToDo} /><Answers status={status.value} /></>}
    </form>
  )
}

function minutesText(minutes) {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}

/** Where the box counts the hours otherwise than whoever reads this. */
export function ZoneNote() {
  const { t, time } = useText()
  const activity = usePolled(() => call('getActivity'), 60_000)
  const told = activity.value
  if (!told || !told.clockTrusted) return null
  const here = -60 * new Date(told.now * 1000).getTimezoneOffset()
  if (told.zoneSeconds === here) return null
  return <p class="result" role="status">{t('zone.other', { time: time(told.now + told.zoneSeconds - here) })}</p>
}

function QuietHours() {
  const { t } = useText()
  const [values, setValues] = useState(null)
  const [failure, setFailure] = useState(null)
  const action = useAction()
  useEffect(() => {
    call('getThrottleSettings').then(now => setValues({ from: minutesText(now.quiet_from_min.value), to: minutesText(now.quiet_to_min.value) })).catch(setFailure)
  }, [])
  if (!values) return <Missing state={{ value: null, error: failure }} />
  const minutes = text => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))
  const send = event => {
    event.preventDefault()
    action.run(() => call('setThrottleSettings', { body: { quiet_from_min: minutes(values.from), quiet_to_min: minutes(values.to), who: 'page' } }), t('saved'))
  }
  return (
    <form onSubmit={send}>
      <p>{t('quiet.what')}</p>
      <ZoneNote />
      <div class="row">
        <Field label={t('quiet.from')} type="time" required value={values.from} onInput={e => setValues({ ...values, from: e.target.value })} />
        <Field label={t('quiet.to')} type="time" required value={values.to} onInput={e => setValues({ ...values, to: e.target.value })} />
      </div>
      <button disabled={action.busy}>{t('save')}</button>
      {action.line}
    </form>
  )
}

function PagePassword({ session, enter }) {
  const { t } = useText()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const action = useAction()
  if (session.passwordFixed) return <p>{t('password.fixed')}</p>
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      enter(await page('/password', 'POST', { current, password }))
      setCurrent('')
      setPassword('')
    }, t('password.changed'))
  }
  return (
    <form onSubmit={send}>
      <input type="text" name="username" autocomplete="username" value="posthorn" class="unseen" tabIndex={-1} aria-hidden="true" readOnly />
      <Password label={t('password.current')} value={current} onInput={e => setCurrent(e.target.value)} />
      <Password label={t('password.new')} help={t('password.help')} value={password} onInput={e => setPassword(e.target.value)} isNew />
      <button disabled={action.busy}>{t('password.change')}</button>
      {action.line}
    </form>
  )
}

function Sessions() {
  const { t, time } = useText()
  const [round, setRound] = useState(0)
  const list = usePolled(() => page('/sessions'), 30_000, round)
  const action = useAction()
  const end = query => action.run(() => page(`/sessions${query}`, 'DELETE').then(() => setRound(round + 1)), t('sessions.ended'))
  return (
    <>
      <Missing state={list} />
      <ul class="list">{(list.value ?? []).map(one => (
        <li key={one.id}>
          <p><span dir="ltr">{one.from}</span> · {t('sessions.since', { time: time(one.since) })} {one.own && <span class="tag">{t('sessions.own')}</span>}</p>
          {!one.own && <button type="button" class="quiet" onClick={() => end(`?id=${one.id}`)} aria-label={`${t('sessions.end')}: ${one.from}`}>{t('sessions.end')}</button>}
        </li>
      ))}</ul>
      {(list.value?.length ?? 0) > 1 && <button type="button" class="quiet" onClick={() => end('')}>{t('sessions.endAll')}</button>}
      {action.line}
    </>
  )
}

function Https() {
  const { t } = useText()
  const access = usePolled(() => call('getAccess'), 60_000)
  const port = access.value?.httpsPort
  const there = port && `https://${location.hostname}${port === 443 ? '' : `:${port}`}/`
  const here = location.protocol === 'https:'
  return (
    <Card title={t('https.title')}>
      <p>{here ? t('https.on') : t('https.off')}</p>
      <Missing state={access} />
      {access.value && !port && <p>{t('https.how')}</p>}
      {there && !here && <p>{t('https.there')} <a href={there} dir="ltr">{there}</a></p>}
      {port && <p><a href="/certificate.pem" download>{t('https.certificate')}</a></p>}
    </Card>
  )
}

export function Settings({ session, enter }) {
  const { t } = useText()
  return (
    <>
      <Card title={t('till.title')}><TillAccess /></Card>
      <Card title={t('webhook.title')}><Webhook /></Card>
      <Card title={t('quiet.title')}><QuietHours /></Card>
      <Card title={t('password.title')}><PagePassword session={session} enter={enter} /></Card>
      <Card title={t('sessions.title')}><Sessions /></Card>
      <Https />
    </>
  )
}
