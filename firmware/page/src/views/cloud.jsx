import { useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Copy, Field, Missing, Said, useAction, usePolled } from '../ui.jsx'

const lookUp = async () => {
  const [official, local] = await Promise.all([call('getOfficialStatus'), call('getCloudStatus')])
  return { official, local }
}

const unixOf = iso => Date.parse(iso) / 1000

/** What Meta counts and the box does not know is null, and never nought. */
function Facts({ official }) {
  const { t, number, time, has } = useText()
  const { windows, month, templates } = official
  const own = official.number
  const known = value => value == null ? t('unknown') : number(value)
  const quality = own?.qualityRating
  const money = month.cost == null ? t('unknown') : `${number(month.cost)} ${month.currency}`
  const rows = [
    [t('cloud.number'), own && `${own.displayPhoneNumber} ${own.verifiedName ?? ''}`],
    [t('cloud.quality'), quality && (has(`cloud.quality.${quality}`) ? t(`cloud.quality.${quality}`) : quality)],
    [t('cloud.limit'), own?.messagingLimit],
    [t('cloud.mode'), has(`cloud.mode.${official.mode}`) ? t(`cloud.mode.${official.mode}`) : official.mode],
    [t('cloud.transport'), has(`cloud.transport.${official.transport}`) ? t(`cloud.transport.${official.transport}`) : official.transport],
    [t('tile.waiting'), known(official.waiting)],
    [t('cloud.sums'), t('cloud.counted', { sent: official.sent, failed: official.failed })],
    [t('cloud.windows'), windows.known ? known(windows.open) : t('unknown')],
    [t('cloud.held'), known(official.heldToday)],
    [t('cloud.service', { month: month.month }), month.service == null ? t('unknown') : t('of', { used: month.service, allowed: month.freeService })],
    [t('cloud.cost', { month: month.month }), money],
    [t('cloud.read'), own?.readAt && time(unixOf(own.readAt))],
    [t('cloud.templates'), templates && known(templates.known)]
  ]
  return <dl class="facts">{rows.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd dir="auto">{value}</dd></div>)}</dl>
}

function Templates({ list }) {
  const { t } = useText()
  if (!list?.length) return null
  return (
    <details>
      <summary>{t('cloud.templates')}</summary>
      <ul class="list">{list.map(one => (
        <li key={`${one.name}${one.language}`}><p><strong dir="ltr">{one.name}</strong> <span class="tag" dir="ltr">{one.language}</span> <span class="tag" dir="ltr">{one.status}</span> <span class="small" dir="ltr">{one.category}</span></p></li>
      ))}</ul>
    </details>
  )
}

/** The second way out: a number at WhatsApp's official API. */
function Official({ official }) {
  const { t, time } = useText()
  const test = useAction()
  const resume = useAction()
  if (!official.on) return <p>{t('cloud.off')}</p>
  const word = !official.works ? 'cloud.stopped' : official.pausedUntil ? 'cloud.paused' : 'cloud.works'
  return (
    <>
      <p class={word === 'cloud.works' ? 'result good' : 'result bad'} role="status">{t(word)}</p>
      <Said text={official.sentence} />
      {official.pausedUntil && <p>{t('status.until', { time: time(unixOf(official.pausedUntil)) })}</p>}
      <Facts official={official} />
      <Templates list={official.templates?.list} />
      <div class="row">
        <button type="button" class="quiet" disabled={test.busy} onClick={() => test.run(() => call('testOfficial', { body: {} }), t('cloud.tested'))}>{t('cloud.test')}</button>
        {(!official.works || official.pausedUntil) && (
          <button type="button" disabled={resume.busy} onClick={() => resume.run(() => call('resumeOfficial', { body: {} }), t('saved'))}>{t('cloud.resume')}</button>
        )}
      </div>
      {test.line}
      {resume.line}
    </>
  )
}

/** Where this box tells what happens, in the official API's form. */
function Callback({ settings, saved }) {
  const { t } = useText()
  const [callbackUrl, setUrl] = useState(settings.callbackUrl)
  const [verifyToken, setToken] = useState(settings.verifyToken)
  const action = useAction()
  const send = event => {
    event.preventDefault()
    action.run(() => call('setCloudSettings', { body: { callbackUrl, verifyToken } }).then(saved), t('saved'))
  }
  return (
    <form onSubmit={send}>
      <Field label={t('cloud.callback')} help={t('cloud.callbackHelp')} type="url" dir="ltr" autocomplete="off" value={callbackUrl} onInput={e => setUrl(e.target.value)} />
      <Field label="verify_token" required maxLength={128} dir="ltr" autocomplete="off" value={verifyToken} onInput={e => setToken(e.target.value)} />
      <button disabled={action.busy}>{t('save')}</button>
      {action.line}
    </form>
  )
}

function LocalTemplates({ list }) {
  const { t } = useText()
  if (!list?.length) return null
  return (
    <>
      <h3>{t('cloud.templates')}</h3>
      <ul class="list">{list.map(one => (
        <li key={`${one.name}${one.language}`}><p><strong dir="ltr">{one.name}</strong> <span class="tag" dir="ltr">{one.language}</span> {t('cloud.used', { sent: one.sent, replied: one.replied })}</p></li>
      ))}</ul>
    </>
  )
}

/** The box in the place of the official API, for a program that was written for that. */
function Local({ local, again }) {
  const { t, has } = useText()
  const [round, setRound] = useState(0)
  const settings = usePolled(() => call('getCloudSettings'), 3_600_000, round)
  const saved = () => {
    setRound(round + 1)
    again()
  }
  const kept = local.notTold.map(name => has(`set.${name}`) ? t(`set.${name}`) : name).join('; ')
  return (
    <>
      <p>{t('cloud.localWhat')}</p>
      <Copy label="url" value={location.origin} />
      <Copy label="phone_number_id" value={String(local.phoneNumberId)} />
      <Copy label="waba_id" value={String(local.wabaId)} />
      <Missing state={settings} />
      {settings.value && (
        <>
          <Copy label="verify_token" value={settings.value.verifyToken} />
          <Copy label="app_secret" value={settings.value.appSecret} secret />
        </>
      )}
      <Said text={local.sentence} />
      {local.failing && <Said text={local.whatToDo} />}
      {local.callbackUrl && kept && <p>{t('cloud.notTold', { what: kept })} <a href="/settings">{t('nav.settings')}</a></p>}
      {settings.value && <Callback settings={settings.value} saved={saved} />}
      <LocalTemplates list={local.templates} />
    </>
  )
}

export function Cloud() {
  const { t } = useText()
  const [round, setRound] = useState(0)
  const state = usePolled(lookUp, 10_000, round)
  if (!state.value) return <Missing state={state} />
  const { official, local } = state.value
  return (
    <>
      <Missing state={state} />
      <Card title={t('cloud.title')}><Official official={official} /></Card>
      <Card title={t('cloud.local')}><Local local={local} again={() => setRound(round + 1)} /></Card>
    </>
  )
}
