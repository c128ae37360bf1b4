#include <curl/curl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "ctl/care.h"
#include "ctl/commands.h"
#include "ctl/receipts.h"
#include "ctl/talk.h"
#include "ctl/webhook.h"

namespace posthorn::ctl {
namespace {

/// How many letters must change to make one of the other; "statsu" and "status" differ in one.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t k = 0; k <= b.size(); ++k) {
      if (i == 0 || k == 0) {
        cost[i][k] = i + k;
        continue;
      }
      const std::size_t changed = cost[i - 1][k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1);
      cost[i][k] = std::min({changed, cost[i - 1][k] + 1, cost[i][k - 1] + 1});
      const bool swapped = i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1];
      if (swapped) cost[i][k] = std::min(cost[i][k], cost[i - 2][k - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

/// CLI11's words, and what was probably meant.
std::string explain(const CLI::App* app, const CLI::ParseError& error, int argc, char** argv) {
  // The options belong to the command that was reached.
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  std::string out = error.what();
  for (const CLI::App* known : app->get_subcommands({})) {
    for (int i = 1; i < argc; ++i) {
      const std::string given = argv[i];
      const bool word = given.size() >= 3 && given[0] != '-' && given != known->get_name();
      if (!word || distance(given, known->get_name()) > 2) continue;
      return "there is no \"" + given + "\": did you mean \"" + known->get_name() + "\"?";
    }
  }
  for (const CLI::Option* known : app->get_options()) {
    const std::string name = known->get_name();
    for (int i = 1; i < argc; ++i) {
      const std::string given = argv[i];
      if (!given.starts_with("--") || given == name || distance(given, name) > 2) continue;
      return "there is no \"" + given + "\": did you mean \"" + name + "\"?";
    }
  }
  return out + "\nposthornctl " +
         (app->get_parent() != nullptr ? app->get_name() + " " : std::string()) +
         "--help says what is possible";
}

/// "+49", "155", "5000 1234" -> one number.
std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : " ") + part;
  return out;
}

int main_with(int argc, char** argv) {
  CLI::App options{"posthornctl: looks after a Posthorn box over its local API", "posthornctl"};
  options.set_version_flag("--version", POSTHORN_VERSION);
  options.require_subcommand(1);
  std::string access_file = "/var/lib/posthorn/access.json";
  Access given;
  options.add_option("--access", access_file, "file with URL and token, written by posthornd")
      ->envname("POSTHORN_ACCESS")
      ->capture_default_str();
  options.add_option("--url", given.url, "instead of the file: http://box:8080");
  options.add_option("--id", given.id_instance, "instead of the file: idInstance");
  options.add_option("--token", given.token, "instead of the file: apiTokenInstance");
  options
      .add_option("--care", given.care,
                  "instead of the file: careToken or page password, for backup, update, reset …")
      ->envname("POSTHORN_CARE");

  std::string ca_file;
  options.add_option("--ca", ca_file, "with https://: the box's own certificate, /certificate.pem");

  bool as_json = false;
  CLI::App* status = options.add_subcommand("status", "how the box is");
  status->add_flag("--json", as_json, "as one line of JSON");
  CLI::App* access_command =
      options.add_subcommand("access", "addresses, idInstance and token: what a till is given");

  bool as_text = false;
  std::vector<std::string> phone;
  int wait_seconds = 180;
  CLI::App* pair_command = options.add_subcommand("pair", "link the shop's phone");
  pair_command->add_flag("--text", as_text, "print the text of the QR code and end");
  pair_command
      ->add_option("--code", phone, "link by 8 characters instead; the phone's number with country")
      ->expected(1, 8);
  pair_command->add_option("--wait", wait_seconds, "seconds until it gives up")
      ->capture_default_str();

  CLI::App* send = options.add_subcommand("send", "queue a text message, or a file");
  CLI::App* reconnect_command =
      options.add_subcommand("reconnect", "connect to WhatsApp anew, at once");

  std::vector<std::string> words;
  std::string file;
  std::string caption;
  send->add_option("what", words, "number with country (or chatId), then the text in quotes")
      ->required()
      ->expected(1, 16);
  send->add_option("--file", file, "a file instead of the text")->check(CLI::ExistingFile);
  send->add_option("--caption", caption, "the words below the file");

  CLI::App* queue = options.add_subcommand("queue", "messages that wait, and for what");

  int events = 0;
  CLI::App* follow_command = options.add_subcommand("follow", "print notifications as they come");
  follow_command->add_option("--events", events, "end after so many")->capture_default_str();

  bool retry = false;
  bool clear = false;
  CLI::App* refused = options.add_subcommand("refused", "notifications the webhook does not take");
  refused->add_flag("--retry", retry, "deliver them again, behind what waits");
  refused->add_flag("--clear", clear, "forget them");

  std::string chat;
  std::string who;
  std::string reason;
  CLI::App* throttle = options.add_subcommand("throttle", "what may be sent now, and why not more");
  CLI::App* acknowledge = throttle->add_subcommand("acknowledge", "agree that sending goes on");
  acknowledge->add_option("who", who, "your name")->required();
  acknowledge->add_option("reason", reason, "at least 10 characters")->required();

  int months = 0;
  CLI::App* in_use =
      throttle->add_subcommand("in-use", "declare once how long the number has been in daily use");
  in_use->add_option("months", months, "1 to 600")->required();
  in_use->add_option("who", who, "your name")->required();

  std::string consent;
  CLI::App* outlook = options.add_subcommand("forecast", "what would become of a message now");
  outlook->add_option("chat", chat, "number or chatId")->required();
  outlook->add_option("--consent", consent, "order, form or spoken");

  int receipt = 0;
  CLI::App* receipts = options.add_subcommand("receipts", "printers of tills, and what they print");
  CLI::App* receipt_show = receipts->add_subcommand("show", "one receipt as text");
  CLI::App* receipt_send = receipts->add_subcommand("send", "one receipt to its customer");
  receipt_show->add_option("number", receipt)->required();
  receipt_send->add_option("number", receipt)->required();
  receipt_send->add_option("chat", chat, "number with country, or chatId")->required();

  std::string list;
  CLI::App* regulars = options.add_subcommand("regulars", "people who have written before");
  regulars->require_subcommand(1);
  CLI::App* regulars_import =
      regulars->add_subcommand("import", "take in a list: number[,YYYY-MM-DD], one a line");
  regulars_import->add_option("file", list)->required();
  regulars_import->add_option("who", who, "your name, for the audit log")->required();

  CLI::App* optout = options.add_subcommand("optout", "customers who want no messages");
  CLI::App* optout_add = optout->add_subcommand("add");
  CLI::App* optout_remove = optout->add_subcommand("remove");
  for (CLI::App* change : {optout_add, optout_remove}) {
    change->add_option("chat", chat, "number with country, in quotes if with blanks, or chatId")
        ->required();
    change->add_option("who", who, "your name")->required();
    change->add_option("reason", reason)->required();
  }

  const CareCommands care(options);
  const TalkCommands talk(options);

  try {
    options.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help and --version
    return options.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "posthornctl: %s\n", explain(&options, error, argc, argv).c_str());
    return 2;
  }
  curl_global_init(CURL_GLOBAL_ALL);
  auto access = given.url.empty() ? read_access(access_file) : check_access(given);
  if (!access) {
    std::fprintf(stderr, "posthornctl: %s\n", access.error().detail.c_str());
    return 1;
  }
  if (!given.care.empty()) access->care = given.care;
  if (access_command->parsed()) return show_access(*access);
  const Client client(*access, ca_file);
  if (const auto cared = care.run(client)) return *cared;
  if (const auto talked = talk.run(client)) return *talked;
  if (status->parsed()) return show_status(client, as_json);
  if (pair_command->parsed() && !phone.empty()) return pair_by_code(client, joined(phone));
  if (pair_command->parsed())
    return pair(client, as_text ? PairBy::text : PairBy::qr, wait_seconds);
  if (reconnect_command->parsed()) return reconnect(client);
  if (send->parsed() && !file.empty()) return send_file(client, joined(words), file, caption);
  if (send->parsed()) {
    const std::string text = words.back();
    words.pop_back();
    return send_text(client, joined(words), text);
  }
  if (queue->parsed()) return show_queue(client);
  if (follow_command->parsed()) return follow(client, events);
  if (refused->parsed()) {
    return refused_notifications(client, retry   ? Refused::retry
                                         : clear ? Refused::clear
                                                 : Refused::show);
  }
  if (acknowledge->parsed()) return acknowledge_throttle(client, who, reason);
  if (in_use->parsed()) return declare_in_use(client, months, who);
  if (receipt_show->parsed()) return show_receipt(client, receipt);
  if (receipt_send->parsed()) return send_receipt(client, receipt, chat);
  if (receipts->parsed()) return show_receipts(client);
  if (outlook->parsed()) return show_outlook(client, chat, consent);
  if (regulars_import->parsed()) return import_regulars(client, list, who);
  if (throttle->parsed()) return show_throttle(client);
  if (optout_add->parsed()) return change_opt_out(client, true, chat, who, reason);
  if (optout_remove->parsed()) return change_opt_out(client, false, chat, who, reason);
  if (optout->parsed()) return list_opt_outs(client);
  return 2;
}

}  // namespace
}  // namespace posthorn::ctl

// What CLI11 throws here are mistakes in the lines that declare options: the first start shows
// them. NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) { return posthorn::ctl::main_with(argc, argv); }
