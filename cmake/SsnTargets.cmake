# Warnings and sanitizers every target of ours gets, and nothing else gets.
add_library(ssn_flags INTERFACE)
target_compile_options(ssn_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wvla -Wundef)
target_include_directories(ssn_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
if(SSN_WERROR)
  target_compile_options(ssn_flags INTERFACE -Werror)
endif()
if(SSN_SANITIZE)
  # GCC finds uninitialized values in instrumented headers of its own that are none (std::regex).
  target_compile_options(ssn_flags INTERFACE -fsanitize=${SSN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    -Wno-maybe-uninitialized)
  target_link_options(ssn_flags INTERFACE -fsanitize=${SSN_SANITIZE})
endif()

# ssn_add_test(<name> LABEL <unit|exhaustive|ct|fuzz> [SOURCE <file>] LIBS <libs...>)
# builds <name>.cc, or <file>, into one executable and registers each of its cases under that label.
function(ssn_add_test name)
  cmake_parse_arguments(ARG "" "LABEL;SOURCE" "LIBS" ${ARGN})
  if(NOT SSN_BUILD_TESTS)
    return()
  endif()
  if(NOT ARG_SOURCE)
    set(ARG_SOURCE ${name}.cc)
  endif()
  add_executable(${name} ${ARG_SOURCE})
  target_link_libraries(${name} PRIVATE ssn_flags ${ARG_LIBS} GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  gtest_discover_tests(${name} TEST_PREFIX ${name}: PROPERTIES LABELS ${ARG_LABEL} DISCOVERY_TIMEOUT 30)
endfunction()

# ssn_check_exports(<module> <symbols...>) fails the test run unless the module's
# dynamic symbol table holds exactly these names.
function(ssn_check_exports module)
  if(SSN_BUILD_TESTS AND NOT SSN_SANITIZE)
    add_test(NAME ${module}.exports
      COMMAND ${PROJECT_SOURCE_DIR}/qa/lint/check_exports $<TARGET_FILE:${module}> ${ARGN})
    set_tests_properties(${module}.exports PROPERTIES LABELS lint)
  endif()
endfunction()

# ssn_check_headers() compiles every public header alone, twice in one unit.
function(ssn_check_headers)
  file(GLOB headers RELATIVE ${PROJECT_SOURCE_DIR}/include CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*/*.h)
  foreach(header IN LISTS headers)
    string(MAKE_C_IDENTIFIER ${header} id)
    set(unit ${PROJECT_BINARY_DIR}/headers/${id}.cc)
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
    list(APPEND units ${unit})
  endforeach()
  add_library(ssn_headers OBJECT ${units})
  target_link_libraries(ssn_headers PRIVATE ssn_flags)
endfunction()
