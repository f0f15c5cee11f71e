# One function per kind of thing: cs_library, cs_service (a program), cs_proto, cs_sql, cs_test.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O2") # asserts stay on: they state what we guarantee
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(CS_ASAN "address and undefined behaviour sanitizers" OFF)
option(CS_TSAN "thread sanitizer" OFF)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# cs_package(NAME pkg-config-module): an imported target Pkg::NAME.
function(cs_package name module)
  if(NOT TARGET PkgConfig::${name})
    pkg_check_modules(${name} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${module})
  endif()
endfunction()

add_library(cs_flags INTERFACE)
target_compile_options(cs_flags INTERFACE -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wvla -Wno-missing-field-initializers -fno-strict-aliasing -fno-omit-frame-pointer -g)
target_compile_definitions(cs_flags INTERFACE _GNU_SOURCE CS_VERSION="${PROJECT_VERSION}")

if(CS_ASAN)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(CS_SANITIZED=1)
endif()
if(CS_TSAN)
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
  add_compile_definitions(CS_SANITIZED=1 CS_TSAN=1)
endif()

# cs_library(name SOURCES … [PUBLIC dep …] [PRIVATE dep …]): a static library in this folder; headers in include/, or
# beside the sources for a service's own parts.
function(cs_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  if(IS_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include)
    target_include_directories(${name} PUBLIC include PRIVATE src)
  else()
    target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE cs_flags ${ARG_PRIVATE} Threads::Threads)
endfunction()

# cs_service(name SOURCES … LIBS …): a program build/bin/name.
function(cs_service name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE cs_flags ${ARG_LIBS} Threads::Threads)
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()

# Everything that only tests need is built by the target `tests`, not by `all`.
add_custom_target(tests)

# Leaks of libraries; nothing else is forgiven.
set(lsan_options "suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.txt:print_suppressions=0")

# cs_test(name LABEL unit|service|fault SOURCES … LIBS … [TIMEOUT s] [POSTGRES]): a cmocka program and a ctest of its
# name. POSTGRES: it uses the databases of tests/support; all such tests of a ctest run share one server.
function(cs_test name)
  cmake_parse_arguments(ARG "POSTGRES" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  cs_package(cmocka cmocka)
  add_executable(${name} EXCLUDE_FROM_ALL ${ARG_SOURCES})
  add_dependencies(tests ${name})
  target_link_libraries(${name} PRIVATE cs_flags ${ARG_LIBS} PkgConfig::cmocka Threads::Threads)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/include)
  target_compile_definitions(${name} PRIVATE CS_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
    CS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "ASAN_OPTIONS=detect_leaks=1;UBSAN_OPTIONS=print_stacktrace=1;LSAN_OPTIONS=${lsan_options}")
  if(ARG_POSTGRES)
    target_link_libraries(${name} PRIVATE test_support)
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED postgres)
  endif()
endfunction()

# cs_sql(target file.sql …): blocks headed "-- name: word" become the table of a generated <file>_sql.h:
# `static const char word_sql[] = "…";`
function(cs_sql target)
  foreach(file ${ARGN})
    get_filename_component(stem ${file} NAME_WE)
    set(header ${CMAKE_CURRENT_BINARY_DIR}/sql/${stem}_sql.h)
    add_custom_command(OUTPUT ${header}
      COMMAND ${CMAKE_SOURCE_DIR}/tools/embed-sql ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${header}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${CMAKE_SOURCE_DIR}/tools/embed-sql VERBATIM)
    target_sources(${target} PRIVATE ${header})
  endforeach()
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/sql)
endfunction()

# cs_migrations(target dir): dir/NNNN_name.sql become the table of a generated migrations_table.h (see cs/pg.h).
function(cs_migrations target dir)
  set(header ${CMAKE_CURRENT_BINARY_DIR}/sql/migrations_table.h)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.sql)
  add_custom_command(OUTPUT ${header}
    COMMAND ${CMAKE_SOURCE_DIR}/tools/embed-migrations ${CMAKE_CURRENT_SOURCE_DIR}/${dir} ${header}
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/tools/embed-migrations VERBATIM)
  target_sources(${target} PRIVATE ${header})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/sql)
endfunction()

enable_testing()
