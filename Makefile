# Copyright (C) the ngx_http_ai_gateway_module authors
#
# "make help" prints the targets.  Everything that is built goes to $(OBJS).

OBJS ?= objs
NGINX_BINARY ?= nginx

export OBJS NGINX_BINARY

# make's default is "cc" as ours, but it does not count as set

ifneq ($(origin CC), default)
export CC
endif

AI = ngx_http_ai_gateway_module
HEADERS = $(wildcard $(AI)/core/*.h t/unit/*.h t/fuzz/*.h)

TESTED_CFLAGS = -std=gnu99 -g -O1 -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all \
	-Wall -Wextra -Werror -Wno-unused-parameter -I$(AI)/core
TESTED_LIBS = -lpcre2-8 -lcjson -lz -lcrypto -lm


help:
	@echo "Run the gateway:"
	@echo "  make run        install what is missing, build, run in the foreground"
	@echo "                  with conf-examples/quickstart.conf (CONF=... for others)"
	@echo "  make install    put the module where nginx loads modules from"
	@echo "  make deb        build the Debian package into $(OBJS)/deb"
	@echo
	@echo "Develop:"
	@echo "  make check      install what the tests need, then make test"
	@echo "  make module     build $(OBJS)/$(AI).so"
	@echo "  make unit       unit tests of core/, under sanitizers"
	@echo "  make test       module, unit, and t/*.t"
	@echo "  make style      coding style (a part of make test)"
	@echo "  make hub        each recorded answer and request between all dialects,"
	@echo "                  judged by a reader of its own; prints the matrix"
	@echo "  make fuzz       replay t/fuzz/corpus; FUZZ_TIME=60 fuzzes each target"
	@echo "                  for so many seconds (needs clang)"
	@echo "  make asan       t/*.t on an nginx built with sanitizers"
	@echo "  make matrix     unit tests and t/*.t on several Debian releases (root)"
	@echo "  make clients    real client libraries against the gateway"
	@echo "  make bench      measure against plain proxy_pass"
	@echo "  make deps       install what a build needs"
	@echo "  make test-deps  install what the tests need"
	@echo "  make clean      remove $(OBJS)"


deps:
	@t/tools/deps.sh build


test-deps:
	@t/tools/deps.sh test


module:
	@t/tools/module.sh


# The core and its tests: one program for each t/unit/*_test.c.

CORE_OBJS = $(patsubst $(AI)/core/%.c, $(OBJS)/unit/%.o, \
	$(wildcard $(AI)/core/*.c))
CORE = $(OBJS)/unit/core.a
UNITS = $(patsubst t/unit/%.c, $(OBJS)/unit/%, $(wildcard t/unit/*_test.c))


unit: $(UNITS)
	@t/tools/unit.sh $(UNITS)


$(OBJS)/unit/%.o: $(AI)/core/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(TESTED_CFLAGS) -c -o $@ $<


$(CORE): $(CORE_OBJS)
	@rm -f $@
	ar rcs $@ $^


$(OBJS)/unit/%_test: t/unit/%_test.c $(CORE) $(HEADERS)
	$(CC) $(TESTED_CFLAGS) -It/unit -o $@ $< $(CORE) $(TESTED_LIBS)


# The hub: a program that translates, and the tests that judge it.

$(OBJS)/hub/driver: t/hub/driver.c $(CORE) $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(TESTED_CFLAGS) -o $@ $< $(CORE) $(TESTED_LIBS)


hub: $(OBJS)/hub/driver
	@t/hub/run.sh


# The fuzz targets: replayed by a main() of ours, or driven by libFuzzer.

FUZZERS = $(patsubst t/fuzz/%.c, $(OBJS)/fuzz/%, $(wildcard t/fuzz/fuzz_*.c))
LIBFUZZERS = $(FUZZERS:$(OBJS)/fuzz/%=$(OBJS)/libfuzzer/%)


fuzz: $(if $(FUZZ_TIME), $(LIBFUZZERS), $(FUZZERS))
	@FUZZ_TIME=$(FUZZ_TIME) t/tools/fuzz.sh $^


$(OBJS)/fuzz/%: t/fuzz/%.c t/fuzz/standalone.c $(CORE) $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(TESTED_CFLAGS) -It/fuzz -o $@ $< t/fuzz/standalone.c $(CORE) \
		$(TESTED_LIBS)


$(OBJS)/libfuzzer/%: t/fuzz/%.c $(wildcard $(AI)/core/*.c) $(HEADERS)
	@mkdir -p $(@D)
	@t/tools/deps.sh fuzz
	clang $(TESTED_CFLAGS) -fsanitize=fuzzer -It/fuzz -o $@ $< \
		$(wildcard $(AI)/core/*.c) $(TESTED_LIBS)


# a unit test that fails does not keep the others from running

test: module
	@status=0; \
	$(MAKE) --no-print-directory unit || status=1; \
	t/tools/prove.sh || status=1; \
	exit $$status


check: test-deps
	@$(MAKE) --no-print-directory test


style:
	@prove t/style.t


asan:
	@t/tools/asan.sh


matrix:
	@t/tools/matrix.sh $(SUITES)


clients: module
	@t/tools/clients.sh


bench: module
	@bench/run.sh


run: deps
	@$(MAKE) --no-print-directory module
	@t/tools/run.sh $(CONF)


install: module
	@t/tools/install.sh


deb:
	@t/tools/deb.sh


clean:
	@t/tools/clean.sh


.PHONY: help deps test-deps module unit hub fuzz test check style asan matrix \
	clients bench run install deb clean

# kept, so that a test that changed does not build the core again

.PRECIOUS: $(OBJS)/unit/%.o
