// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/plugin_host.h"

#include <dlfcn.h>
#include <rados/librados.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <utility>

namespace ceph::common {
class CephContext;
}
namespace ceph::global {
extern common::CephContext* g_ceph_context;  // of libceph-common; a daemon sets it when it starts
}

namespace ssn::tools {
namespace {

struct LoadedPlugin {
  ceph::ErasureCodePlugin* plugin = nullptr;  // never deleted: a daemon does not either
  std::string directory;
};

struct Registry {
  std::recursive_mutex mutex;  // lrc and clay load their inner codes while they are being used
  std::map<std::string, LoadedPlugin> plugins;
};

Registry& TheRegistry() {
  static auto* registry = new Registry;  // plugins may still be in use while the process ends
  return *registry;
}

// Ceph's plugins dereference g_ceph_context whenever they come by a log line. A cluster handle that is never
// connected has a context that serves: it reads no file and starts no thread.
Status PrepareCephContext() {
  static const int error = [] {
    if (ceph::global::g_ceph_context != nullptr) return 0;
    static rados_t cluster;  // keeps the context until the process ends
    if (const int r = rados_create(&cluster, nullptr); r < 0) return r;
    rados_conf_set(cluster, "debug_osd", "0/0");
    ceph::global::g_ceph_context = static_cast<ceph::common::CephContext*>(rados_cct(cluster));
    return 0;
  }();
  if (error == 0) return {};
  return Status::Unavailable(std::string("rados_create: ") + std::strerror(-error));
}

// An open plugin file; closed again unless Keep() is called.
class Library {
 public:
  explicit Library(const std::string& path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) error_ = dlerror();
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (handle_ != nullptr) dlclose(handle_);
  }

  bool ok() const { return handle_ != nullptr; }
  const std::string& error() const { return error_; }
  void* Keep() { return std::exchange(handle_, nullptr); }

  template <typename Function>
  Function* Find(const char* symbol) const {
    return reinterpret_cast<Function*>(dlsym(handle_, symbol));
  }

 private:
  void* handle_;
  std::string error_;
};

// A file without the function is of the time before versions; daemons say so too.
std::string VersionOf(const Library& library) {
  auto* version = library.Find<const char*()>("__erasure_code_version");
  return version != nullptr ? version() : "(none)";
}

std::string PathOf(const std::string& name, const std::string& directory) {
  return directory + "/libec_" + name + ".so";
}

Status Register(Library& library, std::string name, std::string directory) {
  const std::string path = PathOf(name, directory);
  if (!library.ok()) return Status::InvalidArgument(library.error());
  if (const std::string version = VersionOf(library); version != SSN_CEPH_VERSION) {
    return Status::InvalidArgument(path + " is for Ceph " + version + ", not " SSN_CEPH_VERSION);
  }
  auto* init = library.Find<int(char*, char*)>("__erasure_code_init");
  if (init == nullptr) return Status::InvalidArgument(path + " has no __erasure_code_init");
  if (const int error = init(name.data(), directory.data()); error != 0) {
    return Status::InvalidArgument(path + ": __erasure_code_init: " + std::strerror(-error));
  }
  const auto found = TheRegistry().plugins.find(name);
  if (found == TheRegistry().plugins.end()) {
    return Status::InvalidArgument(path + " did not register a plugin named " + name);
  }
  found->second.plugin->library = library.Keep();
  found->second.directory = directory;
  return {};
}

// FindOrLoad returns the registered plugin. The caller holds the registry's mutex.
Result<ceph::ErasureCodePlugin*> FindOrLoad(const std::string& name, const std::string& directory) {
  auto& plugins = TheRegistry().plugins;
  if (!plugins.contains(name)) {
    if (Status status = PrepareCephContext(); !status.ok()) return status;
    Library library(PathOf(name, directory));
    if (Status status = Register(library, name, directory); !status.ok()) return status;
  }
  const LoadedPlugin& loaded = plugins.at(name);
  if (loaded.directory != directory) {
    return Status::InvalidArgument("plugin " + name + " is loaded from " + loaded.directory + " already");
  }
  return loaded.plugin;
}

// MakeInstance does what the daemon's registry does, with its check that init kept the profile it returned.
int MakeInstance(ceph::ErasureCodePlugin& plugin, const std::string& directory,
                 ceph::ErasureCodeProfile& profile, ceph::ErasureCodeInterfaceRef* made, std::ostream* ss) {
  if (const int error = plugin.factory(directory, profile, made, ss); error != 0) return error;
  if (profile == (*made)->get_profile()) return 0;
  *ss << "the profile init returned differs from get_profile()";
  return -EINVAL;
}

}  // namespace

Result<HostedPlugin> HostedPlugin::Load(const std::string& name, const std::string& directory) {
  const std::lock_guard lock(TheRegistry().mutex);
  Result<ceph::ErasureCodePlugin*> plugin = FindOrLoad(name, directory);
  if (!plugin.ok()) return plugin.status();
  return HostedPlugin(name, directory, plugin.value());
}

Result<ceph::ErasureCodeInterfaceRef> HostedPlugin::Instantiate(ceph::ErasureCodeProfile profile) const {
  profile["plugin"] = name_;
  ceph::ErasureCodeInterfaceRef made;
  std::ostringstream ss;
  if (const int error = MakeInstance(*plugin_, directory_, profile, &made, &ss); error != 0) {
    std::string words = ss.str();
    while (words.ends_with('\n')) words.pop_back();
    return Status::InvalidArgument("plugin " + name_ + ": " + words + " (" + std::strerror(-error) + ")");
  }
  return made;
}

Result<std::string> PluginVersion(const std::string& path) {
  const Library library(path);
  if (!library.ok()) return Status::InvalidArgument(library.error());
  return VersionOf(library);
}

}  // namespace ssn::tools

namespace ceph {

ErasureCodePluginRegistry ErasureCodePluginRegistry::singleton;

int ErasureCodePluginRegistry::add(const std::string& name, ErasureCodePlugin* plugin) {
  const std::lock_guard lock(ssn::tools::TheRegistry().mutex);
  const bool added = ssn::tools::TheRegistry().plugins.try_emplace(name, plugin, std::string()).second;
  return added ? 0 : -EEXIST;
}

int ErasureCodePluginRegistry::factory(const std::string& plugin_name, const std::string& directory,
                                       ErasureCodeProfile& profile, ErasureCodeInterfaceRef* erasure_code,
                                       std::ostream* ss) {
  const std::lock_guard lock(ssn::tools::TheRegistry().mutex);
  const ssn::Result<ErasureCodePlugin*> plugin = ssn::tools::FindOrLoad(plugin_name, directory);
  if (plugin.ok()) {
    return ssn::tools::MakeInstance(*plugin.value(), directory, profile, erasure_code, ss);
  }
  *ss << plugin.status().message();
  return -ENOENT;
}

}  // namespace ceph
