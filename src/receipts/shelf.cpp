#include "receipts/shelf.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <utility>

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::receipts {

namespace {

constexpr std::string_view kJob = ".job";
constexpr std::string_view kClaim = ".claim";
constexpr std::string_view kPart = "part-";
constexpr std::size_t kLongestHead = 4096;

std::string name_of(std::uint64_t number, std::string_view suffix) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%010llu", static_cast<unsigned long long>(number));
  return digits.data() + std::string(suffix);
}

/// nullopt: another file.
std::optional<std::uint64_t> number_of(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return number;
}

std::string encode(const Record& record) {
  json::Value out(::Json::objectValue);
  out["printer"] = record.printer;
  out["at"] = static_cast<::Json::Int64>(record.at.unix_seconds());
  out["trusted"] = record.at.trusted;
  out["token"] = record.token;
  out["language"] = record.language == Language::star ? "star" : "escpos";
  out["cutShort"] = record.cut_short;
  return json::write(out) + "\n";
}

Result<Record> decode_record(std::uint64_t number, std::string_view line) {
  TRY(const json::Value from, json::parse(line));
  Record out;
  out.number = number;
  out.printer = json::string_at(from, "printer").value_or("");
  out.at = Wall::from_unix(json::int_at(from, "at").value_or(0),
                           json::bool_at(from, "trusted").value_or(false));
  out.token = json::string_at(from, "token").value_or("");
  out.language = json::string_at(from, "language") == "star" ? Language::star : Language::escpos;
  out.cut_short = json::bool_at(from, "cutShort").value_or(false);
  return out;
}

std::string encode(const Claim& claim) {
  json::Value out(::Json::objectValue);
  out["chat"] = claim.chat;
  out["messageId"] = claim.message_id;
  out["way"] = claim.way;
  out["at"] = static_cast<::Json::Int64>(claim.at.unix_seconds());
  out["trusted"] = claim.at.trusted;
  out["queued"] = claim.queued;
  out["file"] = claim.file;
  return json::write(out);
}

std::optional<Claim> decode_claim(std::string_view text) {
  const auto from = json::parse(text);
  if (!from) return std::nullopt;
  Claim out;
  out.chat = json::string_at(*from, "chat").value_or("");
  out.message_id = json::string_at(*from, "messageId").value_or("");
  out.way = json::string_at(*from, "way").value_or("");
  out.at = Wall::from_unix(json::int_at(*from, "at").value_or(0),
                           json::bool_at(*from, "trusted").value_or(false));
  out.queued = json::bool_at(*from, "queued").value_or(false);
  out.file = json::string_at(*from, "file").value_or("");
  if (out.chat.empty() || out.message_id.empty()) return std::nullopt;
  return out;
}

Result<Bytes> read_all(files::Disk& disk, const std::string& name, std::size_t most) {
  TRY(const auto file, disk.open(name));
  Bytes out;
  while (out.size() < most) {
    const std::size_t at = out.size();
    out.resize(std::min(most, at + 65'536));
    TRY(const std::size_t got, file->read(at, std::span(out).subspan(at)));
    out.resize(at + got);
    if (got == 0) break;
  }
  return out;
}

std::string part_of(const std::string& name) { return std::string(kPart) + name; }

Result<void> write_part(files::Disk& disk, const std::string& part,
                        std::initializer_list<ByteView> parts) {
  TRY(const auto file, disk.create(part));
  for (const ByteView bytes : parts) {
    if (!bytes.empty()) TRY(file->append(bytes));
  }
  return file->sync();
}

/// Whole, synced, then named.
Result<void> write_file(files::Disk& disk, const std::string& name,
                        std::initializer_list<ByteView> parts) {
  const std::string part = part_of(name);
  if (auto written = write_part(disk, part, parts); !written) {
    (void)disk.remove(part);  // where there is no room it would take some
    return written;
  }
  TRY(disk.rename(part, name));
  return disk.sync_names();
}

std::size_t head_size(ByteView file) {
  const auto end = std::find(file.begin(), file.end(), std::byte{'\n'});
  return end == file.end() ? 0 : static_cast<std::size_t>(end - file.begin()) + 1;
}

Result<std::vector<Shelf::Kept>> load_all(files::Disk& disk) {
  TRY(const auto entries, disk.list());
  std::map<std::uint64_t, Shelf::Kept> kept;
  for (const files::Disk::Entry& entry : entries) {
    if (entry.name.starts_with(kPart)) {
      (void)disk.remove(entry.name);
      continue;
    }
    const auto number = number_of(entry.name, kJob);
    if (!number) continue;
    const auto begin = read_all(disk, entry.name, kLongestHead);
    if (!begin) continue;
    const std::size_t size = head_size(*begin);
    auto record = decode_record(*number, as_text(*begin).substr(0, size));
    if (size == 0 || !record) {
      (void)disk.remove(entry.name);
      continue;
    }
    kept[*number] = {std::move(*record), std::nullopt, entry.size};
  }
  for (const files::Disk::Entry& entry : entries) {
    const auto number = number_of(entry.name, kClaim);
    if (!number) continue;
    const auto found = kept.find(*number);
    if (found == kept.end()) {
      (void)disk.remove(entry.name);
    } else if (const auto text = read_all(disk, entry.name, kLongestHead)) {
      found->second.claim = decode_claim(as_text(*text));
    }
  }
  std::vector<Shelf::Kept> out;
  for (auto& [number, one] : kept) out.push_back(std::move(one));
  return out;
}

}  // namespace

template <class T>
void Shelf::add(Function<T(files::Disk&)> work, Once<void(T)> done) {
  files::run_on<T>(
      *lane_, [disk = disk_, work = std::move(work)]() mutable { return work(*disk); },
      std::move(done));
}

void Shelf::load(Once<void(Result<std::vector<Kept>>)> done) {
  add<Result<std::vector<Kept>>>([](files::Disk& disk) { return load_all(disk); }, std::move(done));
}

void Shelf::keep(const Record& record, Bytes raw, Once<void(Result<void>)> done) {
  const std::size_t size = raw.size();
  if (waiting_bytes_ + size > kMostWaiting) {
    return done(fail(Errc::full, "the disk is too slow for so many receipts"));
  }
  waiting_bytes_ += size;
  add<Result<void>>(
      [name = name_of(record.number, kJob), head = encode(record),
       raw = std::move(raw)](files::Disk& disk) {
        return write_file(disk, name, {as_bytes(head), raw});
      },
      [self = alive_.weak(), size, done = std::move(done)](Result<void> written) mutable {
        if (Shelf* me = self.get()) me->waiting_bytes_ -= size;
        done(std::move(written));
      });
}

void Shelf::unclaim(std::uint64_t number) {
  add<Result<void>>(
      [name = name_of(number, kClaim)](files::Disk& disk) -> Result<void> {
        TRY(disk.remove(name));
        return disk.sync_names();
      },
      [](const Result<void>& removed) {
        if (!removed) log::warn("receipts", "a claim stays", {{"error", removed.error()}});
      });
}

void Shelf::claim(std::uint64_t number, const Claim& claim, Once<void(Result<void>)> done) {
  add<Result<void>>([name = name_of(number, kClaim), text = encode(claim)](
                        files::Disk& disk) { return write_file(disk, name, {as_bytes(text)}); },
                    std::move(done));
}

void Shelf::read(std::uint64_t number, Once<void(Result<Bytes>)> done) {
  add<Result<Bytes>>(
      [name = name_of(number, kJob)](files::Disk& disk) -> Result<Bytes> {
        TRY(Bytes file, read_all(disk, name, SIZE_MAX));
        const std::size_t head = head_size(file);
        if (head == 0) return fail(Errc::malformed, "a receipt without its head");
        file.erase(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(head));
        return file;
      },
      std::move(done));
}

void Shelf::remove(std::uint64_t number) {
  add<Result<void>>(
      [number](files::Disk& disk) -> Result<void> {
        for (const std::string_view suffix : {kJob, kClaim}) {
          (void)disk.remove(part_of(name_of(number, suffix)));
        }
        // The claim last: a claim without its job goes at the next start.
        TRY(disk.remove(name_of(number, kJob)));
        (void)disk.remove(name_of(number, kClaim));
        return disk.sync_names();
      },
      [](const Result<void>&) {});
}

}  // namespace posthorn::receipts
