// The part of Open MPI's binary interface that is used here (its mpi.h, versions 4.0 to 5.0): handles are
// pointers to objects that the library exports, MPI_Request is a pointer, MPI_Status as below. Other
// implementations have other handles, so they are refused.
#include "CMPI.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef void *handle;

typedef struct {
  int source, tag, error, cancelled;
  size_t count;
} status;

enum { SUCCESS = 0, THREAD_SERIALIZED = 2, ANY_SOURCE = -1, TEXT = 256, VERSION = 256 };

static struct {
  int (*Init_thread)(int *, char ***, int, int *);
  int (*Finalize)(void);
  int (*Abort)(handle, int);
  int (*Comm_rank)(handle, int *);
  int (*Comm_size)(handle, int *);
  int (*Comm_set_errhandler)(handle, handle);
  int (*Isend)(const void *, int, handle, int, int, handle, handle *);
  int (*Irecv)(void *, int, handle, int, int, handle, handle *);
  int (*Test)(handle *, int *, status *);
  int (*Iprobe)(int, int, handle, int *, status *);
  int (*Error_string)(int, char *, int *);
  int (*Get_library_version)(char *, int *);
  handle world, byte, errors_return;
  char version[VERSION];
} mpi;

static _Thread_local char text[2 * TEXT];

const char *cm_version(void) { return mpi.version; }

static const char *load(void **library) {
  // Its plugins look for its symbols among the global ones.
  *library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
  if (!*library) {
    const char *why = dlerror();
    snprintf(text, sizeof text, "Open MPI's library can't be loaded (%.200s)", why ? why : "libmpi.so.40");
    return text;
  }
  struct {
    const char *name;
    void *place;
  } symbols[] = {
      {"MPI_Init_thread", &mpi.Init_thread},
      {"MPI_Finalize", &mpi.Finalize},
      {"MPI_Abort", &mpi.Abort},
      {"MPI_Comm_rank", &mpi.Comm_rank},
      {"MPI_Comm_size", &mpi.Comm_size},
      {"MPI_Comm_set_errhandler", &mpi.Comm_set_errhandler},
      {"MPI_Isend", &mpi.Isend},
      {"MPI_Irecv", &mpi.Irecv},
      {"MPI_Test", &mpi.Test},
      {"MPI_Iprobe", &mpi.Iprobe},
      {"MPI_Error_string", &mpi.Error_string},
      {"MPI_Get_library_version", &mpi.Get_library_version},
      {"ompi_mpi_comm_world", &mpi.world},
      {"ompi_mpi_byte", &mpi.byte},
      {"ompi_mpi_errors_return", &mpi.errors_return},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *found = dlsym(*library, symbols[i].name);
    if (!found) {
      snprintf(text, sizeof text, "libmpi.so.40 is not Open MPI's: it lacks %s", symbols[i].name);
      return text;
    }
    memcpy(symbols[i].place, &found, sizeof found);
  }
  // The library writes up to MPI_MAX_LIBRARY_VERSION_STRING bytes, 256 in Open MPI.
  int length = 0;
  if (mpi.Get_library_version(mpi.version, &length) != SUCCESS) return "MPI doesn't tell its version";
  mpi.version[VERSION - 1] = 0;
  mpi.version[strcspn(mpi.version, "\n")] = 0;
  int major = 0;
  if (sscanf(mpi.version, "Open MPI v%d.", &major) != 1 || major < 4 || major > 5) {
    snprintf(text, sizeof text, "the MPI on this machine is \"%.100s\", and only Open MPI 4 and 5 are known",
             mpi.version);
    return text;
  }
  return NULL;
}

const char *cm_load(void) {
  static void *library;
  return library ? NULL : load(&library);
}

static const char *failure(const char *call, int code) {
  if (code == SUCCESS) return NULL;
  char reason[TEXT] = "";
  int length = 0;
  mpi.Error_string(code, reason, &length);
  snprintf(text, sizeof text, "%s: %s", call, reason);
  return text;
}

const char *cm_start(int *rank, int *count) {
  int provided = 0;
  const char *wrong = failure("MPI_Init_thread", mpi.Init_thread(NULL, NULL, THREAD_SERIALIZED, &provided));
  if (wrong) return wrong;
  if (provided < THREAD_SERIALIZED) return "MPI_Init_thread: this Open MPI was built without threads";
  mpi.Comm_set_errhandler(mpi.world, mpi.errors_return);
  wrong = failure("MPI_Comm_rank", mpi.Comm_rank(mpi.world, rank));
  return wrong ? wrong : failure("MPI_Comm_size", mpi.Comm_size(mpi.world, count));
}

const char *cm_send(const void *bytes, size_t count, int rank, int tag, void **request) {
  return failure("MPI_Isend", mpi.Isend(bytes, (int)count, mpi.byte, rank, tag, mpi.world, request));
}

const char *cm_receive(void *bytes, size_t count, int rank, int tag, void **request) {
  return failure("MPI_Irecv", mpi.Irecv(bytes, (int)count, mpi.byte, rank, tag, mpi.world, request));
}

const char *cm_test(void **request, int *done) {
  return failure("MPI_Test", mpi.Test(request, done, NULL));
}

const char *cm_probe(int tag, int *found, int *rank, size_t *count) {
  status of = {0};
  const char *wrong = failure("MPI_Iprobe", mpi.Iprobe(ANY_SOURCE, tag, mpi.world, found, &of));
  *rank = of.source;
  *count = of.count;  // in bytes, whatever the type
  return wrong;
}

void cm_finish(void) { mpi.Finalize(); }

void cm_abort(int code) { mpi.Abort(mpi.world, code); }
