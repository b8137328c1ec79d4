# Copyright (C) the ngx_http_ai_gateway_module authors
#
# "config" takes the sources that are there when configure runs.  A file that
# came or went since then would give a module that fails to load, so make asks
# for a new configure instead.

cat << END                                                    >> $NGX_MAKEFILE

binary modules:	ai_gateway_sources

ai_gateway_sources:
	@LC_ALL=C; export LC_ALL; cd $ngx_addon_dir \\
	&& test "\`echo $AI_SOURCES\`" \\
	        = "$(cd $ngx_addon_dir; LC_ALL=C; export LC_ALL; echo $AI_SOURCES)" \\
	|| { echo "$ngx_addon_dir: files have changed, run ./configure again"; \\
	     exit 1; }

END
