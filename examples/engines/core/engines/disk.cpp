// Space of a file system: an engine for Node-API.

#include <napi.h>
#include <sys/statvfs.h>

static Napi::Value GetSpace(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsString()) {
    throw Napi::TypeError::New(env, "getSpace() takes a path");
  }
  struct statvfs status;
  std::string path = info[0].As<Napi::String>();
  if (statvfs(path.c_str(), &status) != 0) {
    throw Napi::Error::New(env, "cannot read the file system of " + path);
  }
  double block = static_cast<double>(status.f_frsize);
  Napi::Object space = Napi::Object::New(env);
  space.Set("total", static_cast<double>(status.f_blocks) * block);
  space.Set("free", static_cast<double>(status.f_bavail) * block);
  return space;
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("getSpace", Napi::Function::New(env, GetSpace));
  return exports;
}

NODE_API_MODULE(disk, Init)
