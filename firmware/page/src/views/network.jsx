import { useEffect, useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, Grave, Missing, useAction, usePolled } from '../ui.jsx'

const kEnds = ['kept', 'back', 'refused']

function Facts({ network }) {
  const { t } = useText()
  const rows = [
    [t('network.address'), network.interfaces.map(one => `${one.address} (${one.name})`).join(', ')],
    [t('network.gateway'), network.gateway],
    [t('network.dns'), network.dns.join(', ')],
    [t('network.time'), network.settings.time_server],
    [t('network.wifi'), network.settings.wifi_name]
  ]
  return <dl class="facts">{rows.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd dir="ltr">{value}</dd></div>)}</dl>
}

/** New settings that somebody must confirm; who is at the old address is led to the new one. */
function Trial({ network }) {
  const { t } = useText()
  const action = useAction()
  const address = network.settings.address
  const there = address && address !== 'dhcp' ? `http://${address.split('/')[0]}/network` : ''
  return (
    <Card title={t('network.trial')} tone="warn">
      <p role="status">{t('network.waiting', { seconds: network.secondsLeft ?? 0 })}</p>
      {there && <p>{t('network.open')} <a href={there} dir="ltr">{there}</a></p>}
      <button type="button" disabled={action.busy} onClick={() => action.run(() => call('confirmNetwork', { body: {} }), t('network.confirmed'))}>{t('network.keep')}</button>
      {action.line}
    </Card>
  )
}

function Change({ network }) {
  const { t } = useText()
  const had = network.settings
  const [own, setOwn] = useState(Boolean(had.address) && had.address !== 'dhcp')
  const [address, setAddress] = useState(own ? had.address : '')
  const [gateway, setGateway] = useState(had.gateway ?? '')
  const [dns, setDns] = useState(had.dns ?? '')
  const [timeServer, setTimeServer] = useState(had.time_server ?? '')
  const [asked, setAsked] = useState('')
  const action = useAction()
  const onCard = name => network.onCard.includes(name)
  const wanted = () => Object.fromEntries([
    ['address', 'address', own ? address : ''], ['gateway', 'gateway', own ? gateway : ''], ['dns', 'dns', dns], ['time_server', 'timeServer', timeServer]
  ].filter(([setting, , value]) => !onCard(setting) && value !== (had[setting] ?? '')).map(([, name, value]) => [name, value]))
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      const body = wanted()
      await call('changeNetwork', { body })
      setAsked(body.address ? `http://${body.address.split('/')[0]}/network` : '')
    }, t('network.asked'))
  }
  const help = (name, text) => onCard(name) ? t('network.card') : text
  return (
    <form onSubmit={send}>
      <p>{t('network.what')}</p>
      <fieldset disabled={onCard('address')}>
        <legend>{t('network.address')}</legend>
        <label class="check"><input type="radio" name="own" checked={!own} onChange={() => setOwn(false)} /> {t('network.dhcp')}</label>
        <label class="check"><input type="radio" name="own" checked={own} onChange={() => setOwn(true)} /> {t('network.own')}</label>
        {onCard('address') && <small>{t('network.card')}</small>}
        {own && (
          <>
            <Field label={t('network.address')} help={help('address', t('network.addressHelp'))} required dir="ltr" autocomplete="off" value={address} onInput={e => setAddress(e.target.value)} />
            <Field label={t('network.gateway')} help={help('gateway', t('network.gatewayHelp'))} required dir="ltr" autocomplete="off" disabled={onCard('gateway')} value={gateway} onInput={e => setGateway(e.target.value)} />
          </>
        )}
      </fieldset>
      <Field label={t('network.dns')} help={help('dns', t('network.empty'))} dir="ltr" autocomplete="off" disabled={onCard('dns')} value={dns} onInput={e => setDns(e.target.value)} />
      <Field label={t('network.time')} help={help('time_server', t('network.empty'))} dir="ltr" autocomplete="off" disabled={onCard('time_server')} value={timeServer} onInput={e => setTimeServer(e.target.value)} />
      <button class="grave" disabled={action.busy || Object.keys(wanted()).length === 0}>{t('network.go')}</button>
      {action.line}
      {asked && <p>{t('network.open')} <a href={asked} dir="ltr">{asked}</a></p>}
    </form>
  )
}

export function Network() {
  const { t } = useText()
  const state = usePolled(() => call('getNetwork'), 2000)
  const [busy, setBusy] = useState(false)
  const network = state.value
  // What became of a change is told to whoever saw it wait.
  useEffect(() => { if (network && !kEnds.includes(network.state)) setBusy(network.state !== 'none') }, [network?.state])
  if (!network) return <Missing state={state} />
  const trying = network.state === 'waiting'
  return (
    <>
      <Missing state={state} />
      {trying && <Trial network={network} />}
      <Card title={t('network.title')}>
        <Facts network={network} />
        {busy && kEnds.includes(network.state) && (
          <p class={network.state === 'kept' ? 'result good' : 'result bad'} role="status">
            {t(`network.end.${network.state}`)} {network.state !== 'kept' && <span lang="en" dir="ltr">{network.detail}</span>}
          </p>
        )}
        {network.state === 'applying' && <p role="status">{t('network.applying')}</p>}
        {!network.managed && <p>{t('network.system')}</p>}
        {network.managed && !trying && network.state !== 'applying' && (
          <Grave label={t('network.change')} key={JSON.stringify(network.settings)}>{() => <Change network={network} />}</Grave>
        )}
        {network.managed && <p class="small">{t('network.wifiWhat')}</p>}
      </Card>
    </>
  )
}
