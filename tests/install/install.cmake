# Installs the build into a scratch folder, moves it, and uses it there as another project would:
#   cmake -DBUILD=... -DSOURCE=... -DSCRATCH=... -P install.cmake
# A memory preset that exists in the moved installation alone shows that nothing is read elsewhere.
set(prefix ${SCRATCH}/moved)
unset(ENV{DIASTOLE_DATA})
set(ENV{SYSTEMC_DISABLE_COPYRIGHT_MESSAGE} 1)
file(REMOVE_RECURSE ${SCRATCH})

# run(WHAT EXPECTED_CODE EXPECTED_TEXT COMMAND...)
function(run what code text)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT result EQUAL code OR NOT "${out}${err}" MATCHES "${text}")
    message(FATAL_ERROR "${what}: exit code ${result} instead of ${code}, or no \"${text}\" in\n"
                        "${out}${err}")
  endif()
endfunction()

run("install" 0 "" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${SCRATCH}/first)
file(RENAME ${SCRATCH}/first ${prefix})
file(READ ${prefix}/share/diastole/memory/hbm2-2000.toml preset)
string(REPLACE "\"hbm2-2000\"" "\"scratch-memory\"" preset "${preset}")
file(WRITE ${prefix}/share/diastole/memory/scratch-memory.toml "${preset}")

run("the installed program shows a memory" 0 "scratch-memory"
    ${prefix}/bin/diastole show memory scratch-memory)
run("the installed program runs" 0 "GFLOP"
    ${prefix}/bin/diastole run --chip mtia-2i --workload gemm-2048)

run("the example configures" 0 "" ${CMAKE_COMMAND} -S ${SOURCE}/docs/examples/tlm
    -B ${SCRATCH}/example -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${COMPILER})
run("the example builds" 0 "" ${CMAKE_COMMAND} --build ${SCRATCH}/example)
run("the example runs" 0 "5000 of 5000 reads.*0 still out"
    ${SCRATCH}/example/platform hbm3-6400 16 5000)
run("the example finds the preset of the installation" 0 "scratch-memory, 2 channels"
    ${SCRATCH}/example/platform scratch-memory 2 5000)
run("the example's mistakes are named" 2 "no memory 'scratch-memry'; did you mean 'scratch-memory'"
    ${SCRATCH}/example/platform scratch-memry)
file(REMOVE_RECURSE ${SCRATCH})
