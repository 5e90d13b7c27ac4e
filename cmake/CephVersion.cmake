# The Ceph we build for is the Ceph that is installed: a daemon loads a plugin only when the
# version string is its own, and the virtual table of the plugin interface differs between releases.
set(SSN_CEPH_VERSIONS 16.2.15)  # the releases whose interface src/erasure-code declares

find_program(CEPH_OSD_PROGRAM ceph-osd)
ssn_need(CEPH_OSD_PROGRAM ceph-osd)
execute_process(COMMAND ${CEPH_OSD_PROGRAM} --version OUTPUT_VARIABLE answer ERROR_QUIET)
if(NOT answer MATCHES "^ceph version ([0-9]+\\.[0-9]+\\.[0-9]+)")
  message(FATAL_ERROR "${CEPH_OSD_PROGRAM} --version says '${answer}': no version of Ceph in it")
endif()
set(CEPH_VERSION ${CMAKE_MATCH_1})
if(NOT CEPH_VERSION IN_LIST SSN_CEPH_VERSIONS)
  message(FATAL_ERROR "Ceph ${CEPH_VERSION} is installed; ssn knows the plugin interface of: ${SSN_CEPH_VERSIONS}")
endif()
find_path(RADOS_INCLUDE_DIR rados/buffer.h)
ssn_need(RADOS_INCLUDE_DIR libradospp-dev)
