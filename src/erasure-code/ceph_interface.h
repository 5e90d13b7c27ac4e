// SPDX-License-Identifier: LGPL-2.1-or-later
// ceph_interface.h - what an erasure-code plugin and a Ceph 16.2.15 daemon share. Debian ships no header for
// it.
//
// Shapes:    must match the daemons bit for bit: the order of the virtual functions, their signatures and the
//            names of the imported symbols. The test `ceph_interface` (qa/lint/ceph_interface) compares them
//            with the installed plugins and daemons. Return types are not in symbol names: no test sees them.
// Errors:    negative errno. Only init and minimum_to_decode* may fail: an OSD aborts when another call does.
//            No exception may leave a function; nothing in the daemon catches it.
// Ownership: a plugin lives until its process ends; the daemon owns it from add() on.
// Threads:   one instance serves one placement group; instances are called from many threads at once.
// Spec:      the interface is Ceph's (LGPL-2.1); this declaration of it is ours.

#pragma once

#include <rados/buffer.h>

#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

// The CRUSH map of the monitor, as far as a plugin needs it to make the rule of a pool.
class [[gnu::visibility("default")]] CrushWrapper {
 public:
  // add_simple_rule returns the new rule's number. `mode` is "indep" for erasure codes; `rule_type` is 3.
  int add_simple_rule(std::string name, std::string root_name, std::string failure_domain_name,
                      std::string device_class, std::string mode, int rule_type, std::ostream* err);
};

namespace ceph {

// The key=value pairs of `ceph osd erasure-code-profile set`. Every client of the cluster can read them.
using ErasureCodeProfile = std::map<std::string, std::string>;

// An erasure code with its numbers set. A stripe of the object is cut into chunks; chunk i goes to shard i.
class ErasureCodeInterface {
 public:
  using Chunks = std::map<int, ceph::buffer::list>;
  // For each chunk to read: runs of (first sub-chunk, number of sub-chunks).
  using Minimum = std::map<int, std::vector<std::pair<int, int>>>;

  virtual ~ErasureCodeInterface() = default;

  // init reads the profile and writes its defaults back into it. It is called a second time on the same
  // object.
  virtual int init(ErasureCodeProfile& profile, std::ostream* ss) = 0;
  // get_profile gives exactly what init left in `profile`.
  virtual const ErasureCodeProfile& get_profile() const = 0;
  virtual int create_rule(const std::string& name, CrushWrapper& crush, std::ostream* ss) const = 0;

  virtual unsigned int get_chunk_count() const = 0;
  virtual unsigned int get_data_chunk_count() const = 0;
  virtual unsigned int get_coding_chunk_count() const = 0;
  virtual int get_sub_chunk_count() = 0;
  // get_chunk_size gives the bytes of one chunk of a stripe (padded by the code) of `stripe_width` bytes.
  virtual unsigned int get_chunk_size(unsigned int stripe_width) const = 0;

  // Which of `available` to read so that `want_to_read` can be had; -EIO when that is impossible.
  virtual int minimum_to_decode(const std::set<int>& want_to_read, const std::set<int>& available,
                                Minimum* minimum) = 0;
  virtual int minimum_to_decode_with_cost(const std::set<int>& want_to_read,
                                          const std::map<int, int>& available, std::set<int>* minimum) = 0;

  // encode makes the chunks `want_to_encode` of one stripe; a daemon always wants all of them.
  virtual int encode(const std::set<int>& want_to_encode, const ceph::buffer::list& in, Chunks* encoded) = 0;
  // encode_chunks is encode with the stripe already cut: inner codes of lrc and clay are called so.
  virtual int encode_chunks(const std::set<int>& want_to_encode, Chunks* encoded) = 0;
  // decode makes chunks out of chunks: recovery. chunk_size 0 stands for the length of those given.
  virtual int decode(const std::set<int>& want_to_read, const Chunks& chunks, Chunks* decoded,
                     int chunk_size) = 0;
  virtual int decode_chunks(const std::set<int>& want_to_read, const Chunks& chunks, Chunks* decoded) = 0;
  // get_chunk_mapping tells which shard holds chunk i; empty when that is shard i.
  virtual const std::vector<int>& get_chunk_mapping() const = 0;
  // decode_concat makes the stripe out of chunks: a client's read.
  virtual int decode_concat(const Chunks& chunks, ceph::buffer::list* decoded) = 0;
};

using ErasureCodeInterfaceRef = std::shared_ptr<ErasureCodeInterface>;

// What a plugin file gives the daemon: it makes instances.
class ErasureCodePlugin {
 public:
  virtual ~ErasureCodePlugin() = default;
  // factory makes an instance and calls its init. `directory` is where the plugins are.
  virtual int factory(const std::string& directory, ErasureCodeProfile& profile,
                      ErasureCodeInterfaceRef* erasure_code, std::ostream* ss) = 0;

  void* library = nullptr;  // the daemon's handle of the plugin file
};

// The daemon's table of plugins. Its data members are the daemon's own: never make one or take its size.
class [[gnu::visibility("default")]] ErasureCodePluginRegistry {
 public:
  static ErasureCodePluginRegistry singleton;

  // add is what __erasure_code_init calls; -EEXIST when the name is taken.
  int add(const std::string& name, ErasureCodePlugin* plugin);
  // factory loads a plugin by name and makes an instance: how lrc and clay get their inner codes.
  int factory(const std::string& plugin_name, const std::string& directory, ErasureCodeProfile& profile,
              ErasureCodeInterfaceRef* erasure_code, std::ostream* ss);
};

}  // namespace ceph

// The two functions a plugin file exports. __erasure_code_init registers the plugin under `plugin_name`;
// __erasure_code_version must return the daemon's version, or the daemon refuses the file.
extern "C" {
[[gnu::visibility("default")]] const char* __erasure_code_version();
[[gnu::visibility("default")]] int __erasure_code_init(char* plugin_name, char* directory);
}
