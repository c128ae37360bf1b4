// A file's kind by its first bytes, and names that lie in the folder of files.
//
// Input: the bytes, which are also taken for a name.

#include <algorithm>

#include "files/name.h"
#include "files/type.h"
#include "fuzz/fuzz_support.h"

using namespace posthorn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = fuzz::Input(data, size).rest();
  const std::string_view type = files::detect_type(bytes);
  const ByteView head = bytes.first(std::min(bytes.size(), files::kTypeLooksAt));
  fuzz::require(files::detect_type(head) == type, "sixteen bytes say it");
  fuzz::require(files::suffix_of(type).find('/') == std::string_view::npos, "a suffix is a word");
  files::Disk::Entry entry;
  entry.name = to_string(bytes);
  if (const auto file = files::parse_name(entry)) {
    fuzz::require(file->ref.size() == 64, "a file is named by its hash");
    const std::string name = files::name_of(*file);
    fuzz::require(name.find_first_of("/\\") == std::string::npos, "a name is no path");
    entry.name = name;
    const auto again = files::parse_name(entry);
    fuzz::require(again && again->number == file->number && again->ref == file->ref &&
                      again->type == file->type,
                  "a name reads back the same");
  }
  return 0;
}
