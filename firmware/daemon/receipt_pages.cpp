#include "daemon/receipt_desk.h"

namespace posthorn::daemon {

namespace {

/// What both pages share: the way to the API. With ?token= the token goes along, else the session
/// of whoever is logged in at "/". Everything that came from a till is shown as text.
constexpr std::string_view kHead = R"(<!doctype html><html lang=en><meta charset=utf-8>
<meta name=viewport content="width=device-width,initial-scale=1"><title>Receipts</title>
<style>
body{font:16px/1.4 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem;color:#1c1c1c;background:#fafaf7}
button{font:inherit;padding:.6rem 1rem;border:1px solid #888;border-radius:.4rem;background:#fff}
button.go{background:#0b6b3a;color:#fff;border-color:#0b6b3a}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ddd}
#say{min-height:1.6rem;margin:.6rem 0}.keys{display:grid;grid-template-columns:repeat(3,1fr);gap:.5rem;max-width:24rem}
.keys button{font-size:1.8rem;padding:1rem 0}#number{font-size:2rem;letter-spacing:.1rem;min-height:2.8rem}
pre{background:#fff;padding:1rem;overflow:auto}img{background:#fff;max-width:100%}
@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}button,pre{background:#222;color:#eee}td,th{border-color:#333}}
</style><body>)";

constexpr std::string_view kScript = R"(
const token=new URLSearchParams(location.search).get('token')||'';
const $=id=>document.getElementById(id);
async function ask(method,query='',body){
  const r=await fetch('/waInstance'+ID+'/'+method+(token?'/'+token:'')+query,{method:body?'POST':'GET',cache:'no-store',
    headers:{'X-Posthorn':'1',...(body?{'Content-Type':'application/json'}:{})},body:body&&JSON.stringify(body)});
  if(r.status===401||r.status===403){$('say').innerHTML='Please <a href="/">log in</a> first, or open this page with ?token=';return Promise.reject(new Error('log in'))}
  if(!r.ok){let m='';try{m=(await r.json()).message}catch{}return Promise.reject(new Error(m||'HTTP '+r.status))}
  return r}
const when=t=>new Date(t*1000).toLocaleString([], {hour:'2-digit',minute:'2-digit',...(Math.abs(t*1000-Date.now())<432e5?{}:{weekday:'short'})});
)";

constexpr std::string_view kReceipts =
    R"(<p><a href="/">Posthorn</a></p><h1>Receipts</h1><p id=say role=status></p>
<h2>Printers</h2><table><thead><tr><th>Printer<th>Tills print to port<th>Goes on to<th>QR<th>State</thead><tbody id=printers></table>
<h2>Printed</h2><table><thead><tr><th>No.<th>Time<th>Total<th>State<th></thead><tbody id=list></table>
<div id=one></div><script>)";

constexpr std::string_view kReceiptsScript = R"(
function row(cells){const tr=document.createElement('tr');for(const c of cells){const td=document.createElement('td');
  c instanceof Node?td.append(c):td.textContent=c;tr.append(td)}return tr}
function button(text,f){const b=document.createElement('button');b.textContent=text;b.onclick=f;return b}
async function show(id){
  const r=await (await ask('getReceipt','?receiptId='+id)).json();
  const png=URL.createObjectURL(await (await ask('getReceipt','?receiptId='+id+'&form=png')).blob());
  const pre=document.createElement('pre'),img=new Image();pre.textContent=r.text;img.src=png;img.alt='receipt '+id;
  const h=document.createElement('h2');h.textContent='Receipt '+id+' ('+r.language+', '+r.codePage+(r.codePageGuessed?', guessed':'')+')';
  $('one').replaceChildren(h,img,pre);h.scrollIntoView()}
async function load(){try{
  const p=await (await ask('getReceiptPrinters')).json();
  $('printers').replaceChildren(...p.map(x=>row([x.printer,x.port,x.forward||'nowhere: the box answers',x.qr,
    x.trouble||(x.jobs+(x.jobs===1?' job':' jobs'))+(x.codePageGuessed?'; letters look like '+x.codePage+': '+x.sample:'')])));
  const l=await (await ask('getReceipts')).json();
  $('list').replaceChildren(...l.map(x=>row([x.receiptId,when(x.timestamp),x.total,
    x.state==='waiting'?'waits until '+when(x.expires):x.state+' ('+x.way+')',button('Show',()=>show(x.receiptId).catch(e=>$('say').textContent=e.message))])));
  $('say').textContent=l.length?'':'Nothing was printed lately.'
}catch(e){if(e.message!=='log in')$('say').textContent=e.message}}
load();setInterval(load,5000)</script>)";

constexpr std::string_view kTill =
    R"(<h1 id=title>Receipt on WhatsApp?</h1><p id=say role=status></p>
<div id=pad hidden><div id=number aria-live=polite></div><div class=keys id=keys></div>
<p><label><input type=checkbox id=yes> The customer wants the receipt on WhatsApp</label></p>
<button class=go id=go>Send</button> <button id=no>No, thanks</button></div><script>)";

constexpr std::string_view kTillScript = R"(
let current=null,digits='',past=0,idle=0;
const done=JSON.parse(sessionStorage.done||'[]');
for(const k of ['1','2','3','4','5','6','7','8','9','+','0','⌫']){const b=document.createElement('button');b.textContent=k;
  b.onclick=()=>{digits=k==='⌫'?digits.slice(0,-1):(digits+k).slice(0,17);$('number').textContent=digits;idle=Date.now()};$('keys').append(b)}
const key=x=>x.receiptId+' '+x.timestamp;
function close(){if(current){done.push(key(current));sessionStorage.done=JSON.stringify(done.slice(-200))}
  current=null;digits='';$('number').textContent='';$('yes').checked=false;$('pad').hidden=true;$('title').textContent='Receipt on WhatsApp?'}
$('no').onclick=()=>{close();$('say').textContent=''};
$('go').onclick=async()=>{if(!$('yes').checked){$('say').textContent='Please ask the customer, and tick the box.';return}
  const id=current.receiptId;try{await ask('sendReceipt','',{receiptId:id,chatId:digits.replace('+','')+'@c.us'});close();$('say').textContent='Receipt '+id+' is on its way.'}
  catch(e){$('say').textContent=e.message}};
async function load(){try{
  if(current&&Date.now()-Math.max(past,idle)>60000){close();$('say').textContent=''}
  if(current)return;
  const l=await (await ask('getReceipts','?count=5')).json();
  const next=l.find(x=>x.state==='waiting'&&x.whole&&x.ageSeconds!==null&&x.ageSeconds<60&&!done.includes(key(x)));
  if(!next)return;
  current=next;past=idle=Date.now();$('title').textContent='Receipt '+next.receiptId+(next.total?', '+next.total:'')+': number?';$('say').textContent='';$('pad').hidden=false
}catch(e){if(e.message!=='log in')$('say').textContent=e.message}}
load();setInterval(load,1500)</script>)";

std::string page(std::uint64_t id, std::string_view body, std::string_view script) {
  std::string out(kHead);
  out += body;
  out += "const ID=" + std::to_string(id) + ";";
  out += kScript;
  out += script;
  return out;
}

}  // namespace

std::string receipts_page(std::uint64_t id_instance) {
  return page(id_instance, kReceipts, kReceiptsScript);
}

std::string till_page(std::uint64_t id_instance) { return page(id_instance, kTill, kTillScript); }

}  // namespace posthorn::daemon
