#include "posthorn/base/config.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

std::string error_of(std::string_view text) {
  const auto parsed = parse_config(text, "posthorn.toml");
  return parsed ? "accepted" : parsed.error().detail;
}

TEST(Config, AnEmptyFileMeansTheDocumentedDefaults) {
  const auto config = parse_config("", "posthorn.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->data_dir, "/var/lib/posthorn");
  EXPECT_EQ(config->whatsapp.url, "wss://web.whatsapp.com/ws/chat");
  EXPECT_EQ(config->queue.keep, hours(24));
}

TEST(Config, ReadsEveryKey) {
  const auto config = parse_config(R"(
data_dir = "/data"
[whatsapp]
url = "ws://127.0.0.1:8080/ws/chat"
noise_root_key = "142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b"
tls_ca_file = "/ca.pem"
version = "2.3000.7"
media_ca_file = "/media.pem"
media_insecure_hosts = ["127.0.0.1:99"]
device_name = "Shop"
passkey_handoff = "always"
[api]
listen = "127.0.0.1"
port = 0
id_instance = 4100012345
token = "01234567890123456789012345678901234567890123456789"
public_url = "http://box.lan"
[queue]
outbox_bytes = 1048576
inbox_bytes = 2097152
keep_hours = 48
[throttle]
time_zone = "Europe/Berlin"
quiet_from = "22:00"
quiet_to = "07:30"
number_in_use_months = 3
gap_any_ms = 700
[board]
data = "/boards"
sysfs = "/fake/sys"
device_tree = "/fake/compatible"
[log]
level = "debug"
)",
                                   "posthorn.toml");
  ASSERT_TRUE(config.has_value()) << config.error().detail;
  EXPECT_EQ(config->whatsapp.url, "ws://127.0.0.1:8080/ws/chat");
  EXPECT_EQ(config->whatsapp.version, (std::array<std::uint32_t, 3>{2, 3000, 7}));
  EXPECT_EQ(config->whatsapp.passkey_handoff, PasskeyHandoff::always);
  EXPECT_EQ(config->whatsapp.media_insecure_hosts, std::vector<std::string>{"127.0.0.1:99"});
  EXPECT_EQ(config->throttle.time_zone, "Europe/Berlin");
  EXPECT_EQ(config->throttle.time_zone_where, "posthorn.toml:23: throttle.time_zone");
  EXPECT_EQ(config->api.port, 0);
  EXPECT_EQ(config->api.id_instance, 4'100'012'345U);
  EXPECT_EQ(config->queue.outbox_bytes, 1'048'576U);
  EXPECT_EQ(config->queue.keep, hours(48));
  EXPECT_EQ(config->throttle.quiet_to, "07:30");
  ASSERT_EQ(config->throttle.settings.size(), 1U);
  EXPECT_EQ(config->throttle.settings[0].name, "gap_any_ms");
  EXPECT_EQ(config->throttle.settings[0].where, "posthorn.toml:27: throttle.gap_any_ms");
  EXPECT_EQ(config->board.sysfs, "/fake/sys");
  EXPECT_EQ(config->log.level, "debug");
}

TEST(Config, TheJournalCanBeBoundedAndSwitchedOff) {
  const auto usual = parse_config("", "posthorn.toml");
  ASSERT_TRUE(usual);
  EXPECT_EQ(usual->journal.days, 30U);
  EXPECT_EQ(usual->journal.limit_bytes, 64ULL << 20);
  const auto off = parse_config("[journal]\ndays = 0\nlimit_bytes = 1048576\n", "posthorn.toml");
  ASSERT_TRUE(off);
  EXPECT_EQ(off->journal.days, 0U);
  EXPECT_EQ(off->journal.limit_bytes, 1ULL << 20);
  EXPECT_NE(error_of("[journal]\nlimit_bytes = 5\n").find("journal.limit_bytes"),
            std::string::npos);
}

TEST(Config, AReceiverOfNotificationsMayTakeUpToThreeMinutes) {
  EXPECT_EQ(parse_config("", "posthorn.toml")->webhook.wait, seconds(30));
  EXPECT_EQ(parse_config("[webhook]\nwait_s = 180\n", "posthorn.toml")->webhook.wait, seconds(180));
  for (const char* wait : {"29", "181", "\"60\""}) {
    EXPECT_EQ(error_of(std::string("[webhook]\nwait_s = ") + wait + "\n"),
              "posthorn.toml:2: webhook.wait_s: must be a whole number from 30 to 180");
  }
}

TEST(Config, SaysFileLineKeyAndWhatIsAllowed) {
  EXPECT_EQ(error_of("\n\n[api]\nport = 70000\n"),
            "posthorn.toml:4: api.port: must be a whole number from 0 to 65535");
  EXPECT_EQ(error_of("[api]\nporrt = 1\n"),
            "posthorn.toml:2: api.porrt: unknown key; known here: listen, port, https_port, "
            "id_instance, token, care_token, names, plain_http, public_url, page_password");
  EXPECT_EQ(error_of("[api]\nplain_http = false\n"),
            "posthorn.toml: api.plain_http: false needs api.https_port, e.g. 443");
  EXPECT_EQ(error_of("[api]\nnames = [\"http://box.example\"]\n"),
            "posthorn.toml:2: api.names: may only hold host names like "
            "\"posthorn.shop.example\", without scheme and port");
  EXPECT_EQ(error_of("[network]\nproxy = \"socks5://a:hunter2@b\"\n"),
            "posthorn.toml:2: network.proxy: must be http://host:port or "
            "http://user:password@host:port");
  EXPECT_EQ(error_of("[api]\npage_password = \"short\"\n"),
            "posthorn.toml:2: api.page_password: must have 8 to 128 characters, or be empty");
  EXPECT_EQ(
      error_of("x = 1\n"),
      "posthorn.toml:1: x: unknown key; known here: data_dir; sections: whatsapp, api, network, "
      "queue, webhook, files, journal, cloud, throttle, receipts, printer, board, log");
  EXPECT_EQ(error_of("[whatsapp]\nurl = \"ws://web.whatsapp.com/\"\n"),
            "posthorn.toml:2: whatsapp.url: must begin with wss:// (ws:// only for 127.0.0.1, ::1 "
            "and localhost)");
  EXPECT_EQ(error_of("[whatsapp]\nurl = \"ws://127.0.0.1.evil.example/\"\n").substr(0, 34),
            "posthorn.toml:2: whatsapp.url: mus");
  EXPECT_EQ(error_of("[log]\nlevel = \"loud\"\n"),
            "posthorn.toml:2: log.level: allowed: error, warn, info, debug, trace");
  EXPECT_EQ(error_of("[whatsapp]\nversion = \"2.3\"\n"),
            "posthorn.toml:2: whatsapp.version: must be three numbers, e.g. \"2.3000.1043028647\"");
  EXPECT_EQ(error_of("[whatsapp]\nmedia_insecure_hosts = [\"example.org\"]\n"),
            "posthorn.toml:2: whatsapp.media_insecure_hosts: may only name 127.0.0.1, ::1 and "
            "localhost");
  EXPECT_EQ(error_of("[throttle]\nquiet_from = \"24:00\"\n"),
            "posthorn.toml:2: throttle.quiet_from: must be a time of day from \"00:00\" to "
            "\"23:59\"");
  EXPECT_EQ(
      error_of("[throttle]\nunpaced_for_benchmarks = true\n"),
      "posthorn.toml: throttle.unpaced_for_benchmarks: only with a whatsapp.url on this machine "
      "(127.0.0.1, ::1, localhost)");
  EXPECT_EQ(error_of("[throttle]\ngap_any_ms = \"fast\"\n"),
            "posthorn.toml:2: throttle.gap_any_ms: no such key, or not a whole number");
  EXPECT_EQ(error_of("data_dir = \"\"\n"),
            "posthorn.toml:1: data_dir: must be a folder, like \"/var/lib/posthorn\"");
  EXPECT_EQ(error_of("[api]\nport = 443\nhttps_port = 443\n"),
            "posthorn.toml: api.https_port: must be another port than api.port, which is 443");
  EXPECT_EQ(error_of("[whatsapp]\ndevice_name = \"\"\n"),
            "posthorn.toml:2: whatsapp.device_name: must have 1 to 50 characters");
  EXPECT_EQ(error_of("[whatsapp]\npasskey_handoff = \"never\"\n"),
            "posthorn.toml:2: whatsapp.passkey_handoff: must be \"auto\" or \"always\"");
  EXPECT_EQ(error_of("api = 5\n"), "posthorn.toml:1: api: must be a section: [api]");
  EXPECT_EQ(error_of("[api\n").substr(0, 16), "posthorn.toml:1:");
}

TEST(Config, ListensWhereAnAddressSaysAndNowhereElse) {
  const auto listen = [](const std::string& value) {
    const auto parsed = parse_config("[api]\nlisten = \"" + value + "\"\n", "posthorn.toml");
    return parsed ? parsed->api.listen : parsed.error().detail;
  };
  for (const char* address : {"0.0.0.0", "::", "192.168.1.20", "fd00::20", "127.0.0.1"}) {
    EXPECT_EQ(listen(address), address);
  }
  EXPECT_EQ(listen("localhost"), "127.0.0.1");
  for (const char* wrong : {"", "192.168.1.300", "192.168.1", "posthorn.local", "[::1]", "0",
                            "192.168.1.20/24", "192.168.1.20:80", "fe80::1%eth0", "*"}) {
    EXPECT_EQ(listen(wrong).substr(0, 57),
              "posthorn.toml:2: api.listen: must be an address of this m")
        << wrong;
  }
}

TEST(Config, AddressesOfServersHaveAHostAndAPortThatExists) {
  for (const char* good : {"wss://web.whatsapp.com/ws/chat", "wss://host:443", "ws://[::1]:8080/x",
                           "ws://127.0.0.1:1/"}) {
    EXPECT_EQ(error_of("[whatsapp]\nurl = \"" + std::string(good) + "\"\n"), "accepted") << good;
  }
  for (const char* bad : {"wss://", "wss://host:0/", "wss://host:99999/", "wss://host:/",
                          "wss://ho st/", "wss://host:443x/", "wss://[::1", "wss:///ws/chat"}) {
    EXPECT_NE(error_of("[whatsapp]\nurl = \"" + std::string(bad) + "\"\n"), "accepted") << bad;
  }
  EXPECT_EQ(error_of("[api]\npublic_url = \"https://box.lan\"\n"), "accepted");
  for (const char* bad : {"box.lan", "http://", "http://box lan", "http://box:70000"}) {
    EXPECT_NE(error_of("[api]\npublic_url = \"" + std::string(bad) + "\"\n"), "accepted") << bad;
  }
}

TEST(Config, ReadsPrintersAndHowReceiptsGoOut) {
  const auto config = parse_config(R"(
[receipts]
shop = "Shop"
form = "pdf"
country = "49"
tags = ["WA:"]
[printer.1]
forward = "192.168.1.50"
qr = "native"
[printer.kitchen]
listen = 9101
forward = "[fe80::1]:9101"
receipts = false
width = 58
)",
                                   "posthorn.toml");
  ASSERT_TRUE(config.has_value()) << config.error().detail;
  ASSERT_EQ(config->printers.size(), 2U);
  EXPECT_EQ(config->printers[0].name, "1");
  EXPECT_EQ(config->printers[0].listen, 9100);
  EXPECT_EQ(config->printers[0].forward_host, "192.168.1.50");
  EXPECT_EQ(config->printers[0].forward_port, 9100);
  EXPECT_EQ(config->printers[0].qr, "native");
  EXPECT_EQ(config->printers[1].forward_host, "fe80::1");
  EXPECT_EQ(config->printers[1].forward_port, 9101);
  EXPECT_FALSE(config->printers[1].receipts);
  EXPECT_EQ(config->printers[1].width, 58);
  EXPECT_EQ(config->receipts.form, "pdf");
  EXPECT_EQ(config->receipts.tags, std::vector<std::string>{"WA:"});
  EXPECT_FALSE(config->receipts.caption);
  EXPECT_TRUE(parse_config("", "posthorn.toml")->printers.empty());
}

// "--check-config" said "all right", and the daemon ended at its start.
/// What is off with it, the box starts all the same; "": nothing.
std::string troubles_of(const std::string& text) {
  const auto config = parse_config(text, "posthorn.toml");
  EXPECT_TRUE(config) << text << ": " << config.error().detail;
  std::string out;
  if (!config) return out;
  for (const std::string& trouble : config->troubles) out += trouble + "\n";
  return out;
}

TEST(Config, SaysWhichOfTheBoxsPortsAreOne) {
  const auto says = [](const std::string& text, const std::string& words) {
    const std::string troubles = troubles_of(text);
    EXPECT_NE(troubles.find(words), std::string::npos) << text << ": " << troubles;
  };
  says("[api]\nport = 9100\n[printer.1]\n", "printer.1.listen: must be another port than api.port");
  says("[api]\nhttps_port = 9100\n[printer.1]\n", "than api.https_port, which is 9100");
  says("[printer.1]\nlpd = 9100\n", "printer.1.lpd: must be another port than printer.1.listen");
  says("[printer.1]\n[printer.2]\nlisten = 9101\nlpd = 9100\n", "printer.2.lpd");
  says("[printer.1]\n[printer.2]\naddress = \"192.168.1.20\"\n", "printer.2.listen");
  says("[printer.1]\naddress = \"::\"\n[printer.2]\naddress = \"192.168.1.20\"\n",
       "printer.2.listen");
  EXPECT_EQ(troubles_of("[printer.1]\naddress = \"192.168.1.20\"\n"
                        "[printer.2]\naddress = \"192.168.1.21\"\n"),
            "");
  EXPECT_EQ(troubles_of("[printer.1]\nlisten = 0\n[printer.2]\nlisten = 0\n"), "");
}

TEST(Config, APrinterIsNotTheBoxItself) {
  const std::string there = "[printer.1]\naddress = \"192.168.1.20\"\nforward = ";
  const std::string anywhere = "[printer.1]\nforward = ";
  for (const std::string& text :
       {there + "\"192.168.1.20:9100\"\n", anywhere + "\"127.0.0.1:9100\"\n",
        anywhere + "\"localhost:9100\"\n", anywhere + "\"[::1]:9100\"\n"}) {
    EXPECT_NE(troubles_of(text).find("printer.1.forward: must be the printer's address, not"),
              std::string::npos)
        << text << ": " << troubles_of(text);
  }
  EXPECT_EQ(troubles_of(anywhere + "\"127.0.0.1:9101\"\n"), "");
  EXPECT_EQ(troubles_of(there + "\"127.0.0.1:9100\"\n"), "") << "a print server on the box";
  const auto config = parse_config(anywhere + "\"127.0.0.1:9100\"\n", "posthorn.toml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->printers.at(0).trouble, config->troubles.at(0));
}

TEST(Config, APrinterNeedsAnAddressThatThereIs) {
  for (const char* host : {"192.168.1.300", "[fe80::zz]:9100"}) {
    EXPECT_NE(troubles_of("[printer.1]\nforward = \"" + std::string(host) + "\"")
                  .find("192.168.1.50:9100"),
              std::string::npos)
        << host;
  }
  EXPECT_EQ(troubles_of("[printer.1]\nforward = \"[fe80::1%eth0]:9100\""), "");
}

TEST(Config, KeysOfAnOfficialNumberNeedTheNumber) {
  for (const char* key : {"token_file = \"/a\"", "transport = \"auto\"", "mode = \"direct\"",
                          "receipt_template = \"receipt\""}) {
    EXPECT_NE(troubles_of("[cloud]\n" + std::string(key)).find("cloud.phone_number_id: is missing"),
              std::string::npos)
        << key;
  }
  EXPECT_EQ(troubles_of("[cloud]\n"), "");
}

TEST(Config, SaysWhatAPrinterMayBe) {
  EXPECT_NE(error_of("[printer.1]\nqr = \"yes\"").find("printer.1.qr: must be one of \"off\""),
            std::string::npos);
  EXPECT_NE(error_of("[printer.1]\nwidth = 72").find("must be 80 or 58"), std::string::npos);
  EXPECT_NE(error_of("[printer.1]\nforward = \"printer:0\"").find("192.168.1.50:9100"),
            std::string::npos);
  EXPECT_NE(troubles_of("[printer.1]\n[printer.2]\n").find("another port"), std::string::npos);
  EXPECT_TRUE(parse_config("[printer.1]\nforward = \"printer2.lan\"", "posthorn.toml"));
  EXPECT_NE(error_of("[printer.1]\nspeed = 1").find("unknown key"), std::string::npos);
  EXPECT_NE(error_of("printer = 1").find("must be a section"), std::string::npos);
  EXPECT_NE(error_of("[printer]\na = 1").find("[printer.1]"), std::string::npos);
}

}  // namespace
}  // namespace posthorn
