
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The tap on events that are like one before: told by a sample, they have the
 * verdict and the effect that reading them has.
 */


#include "dialect.h"
#include "unit.h"


#define O   &ai_dialect_openai
#define A   &ai_dialect_anthropic
#define G   &ai_dialect_gemini

#define CHAT      AI_OP_CHAT
#define RESPONSES AI_OP_RESPONSES
#define MESSAGES  AI_OP_MESSAGES
#define STREAM    AI_OP_STREAM_GENERATE


/*
 * Events that are told by a sample: each case is a stream, one event per line,
 * with a letter before it that says whether the sample of those before it is
 * to match ("=") or the event is to be read (" ").  Either way the verdict and
 * what is kept are those of a tap without samples.
 */

typedef struct {
    const ai_dialect_t  *dialect;
    ai_op_e              op;
    const char          *name;
    const char          *events;
} sample_case_t;


#define CHUNK(text)                                                          \
    "{\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{"     \
    "\"content\":\"" text "\"},\"finish_reason\":null}]}\n"

#define DELTA(text)                                                          \
    "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":"      \
    "\"text_delta\",\"text\":\"" text "\"}}\n"


static const sample_case_t  samples[] = {

    /* the first one told the model */

    { O, CHAT, "", " " CHUNK("a") " " CHUNK("b") "=" CHUNK("cde")
      "=" CHUNK(" \xc3\xa9\xf0\x9f\x98\x80 ") "=" CHUNK("\\n\\\"\\\\\\u00e9") },

    /* strings that are not valid, empty, or have another end */

    { O, CHAT, "", " " CHUNK("a") " " CHUNK("b") " " CHUNK("\x01")
      " " CHUNK("b") "=" CHUNK("b") " " CHUNK("\xff") " " CHUNK("b")
      " " CHUNK("\\x") " " CHUNK("b") " " CHUNK("\\ud83d") " " CHUNK("b")
      "=" CHUNK("\\ud83d\\ude00") " " CHUNK("") " " CHUNK("b")
      " " CHUNK("b\\") " " CHUNK("b") " " CHUNK("\",\"refusal\":\"no")
      " " CHUNK("b") " " CHUNK("\",\"content\":\"b") " " CHUNK("b")
      " " CHUNK("b\",\"tool_calls\":[],\"x\":\"") },

    /* another choice, a reason to stop, an error, the end, and then more */

    { O, CHAT, "", " {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}"
      "]}\n {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\n\"}}]}\n"
      "={\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"}}]}\n"
      " {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}}]}\n"
      " {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}}]}\n"
      "={\"choices\":[{\"index\":1,\"delta\":{\"content\":\"c\"}}]}\n"
      " {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"d\"},"
      "\"finish_reason\":\"stop\"}]}\n"
      " {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"d\"},"
      "\"finish_reason\":\"stop\"}]}\n"
      "={\"choices\":[{\"index\":1,\"delta\":{\"content\":\"d\"},"
      "\"finish_reason\":\"stop\"}]}\n"
      " {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"d\"},"
      "\"finish_reason\":\"end!\"}]}\n" },

    { O, CHAT, "", " " CHUNK("a") " " CHUNK("b") "=" CHUNK("c")
      " {\"error\":{\"message\":\"m\"}}\n " CHUNK("d") "=" CHUNK("e")
      " [DONE]\n " CHUNK("f") " " CHUNK("g") },

    /* one text twice, two choices in one event */

    { O, CHAT, "", " {\"choices\":[{\"delta\":{\"content\":\"a\","
      "\"reasoning\":\"a\"}},{\"index\":1,\"delta\":{\"content\":\"a\"}}]}\n"
      " {\"choices\":[{\"delta\":{\"content\":\"a\","
      "\"reasoning\":\"a\"}},{\"index\":1,\"delta\":{\"content\":\"a\"}}]}\n"
      "={\"choices\":[{\"delta\":{\"content\":\"abc\","
      "\"reasoning\":\"de\"}},{\"index\":1,\"delta\":{\"content\":\"f\"}}]}\n"
      " {\"choices\":[{\"delta\":{\"content\":\"a\","
      "\"reasoning\":\"a\"}},{\"index\":1,\"delta\":{\"content\":\"\"}}]}\n" },

    /* members that nobody reads, before and after; others change nothing */

    { O, CHAT, "", " {\"choices\":[{}]}\n"
      " {\"created\":1,\"choices\":[{\"delta\":{\"content\":"
      "\"a\"}}],\"pad\":\"\"}\n={\"created\":-2.5e7,\"choices\":[{\"delta\":{"
      "\"content\":\"b\"}}],\"pad\":\"xyz\"}\n"
      " {\"created\":01,\"choices\":[{\"delta\":{"
      "\"content\":\"b\"}}],\"pad\":\"xyz\"}\n"
      " {\"created\":1,\"choices\":[{\"delta\":{\"content\":"
      "\"a\"}}],\"pad\":\"\"}\n"
      " {\"created\":\"1\",\"choices\":[{\"delta\":{"
      "\"content\":\"b\"}}],\"pad\":\"xyz\"}\n"
      " {\"created\":1,\"choices\":[{\"delta\":{\"content\":"
      "\"a\"}}],\"pad\":\"\"}\n"
      " {\"created\":1,\"choices\":[{\"delta\":{\"content\":"
      "\"a\"}}],\"pad\":\"\"} x\n" },

    /* tools count each time, usage may change, names of events matter */

    { O, CHAT, "", " {\"choices\":[{\"delta\":{\"content\":\"a\","
      "\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}}]}\n"
      " {\"choices\":[{\"delta\":{\"content\":\"a\","
      "\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}}]}\n"
      " {\"choices\":[{\"delta\":{"
      "\"tool_calls\":[{\"function\":{\"arguments\":\"{\"}}]}}]}\n"
      "={\"choices\":[{\"delta\":{"
      "\"tool_calls\":[{\"function\":{\"arguments\":\"\\\"a\\\"\"}}]}}]}\n" },

    { O, CHAT, "", " {\"choices\":[{\"delta\":{\"content\":\"a\"}}],"
      "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1}}\n"
      " {\"choices\":[{\"delta\":{\"content\":\"a\"}}],"
      "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n"
      " {\"choices\":[{\"delta\":{\"content\":\"a\"}}],"
      "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n"
      "={\"choices\":[{\"delta\":{\"content\":\"b\"}}],"
      "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n" },

    { O, RESPONSES, "response.output_text.delta",
      " {\"type\":\"response.output_text.delta\",\"sequence_number\":9,"
      "\"delta\":\"a\",\"obfuscation\":\"x\"}\n"
      "={\"type\":\"response.output_text.delta\",\"sequence_number\":10,"
      "\"delta\":\"bc\",\"obfuscation\":\"yyy\"}\n"
      " {\"type\":\"response.output_text.dolta\",\"sequence_number\":11,"
      "\"delta\":\"d\",\"obfuscation\":\"yyy\"}\n" },

    { A, MESSAGES, "content_block_delta", " " DELTA("a") "=" DELTA("b")
      "=" DELTA("\\u0000 ") " " DELTA("") " {\"type\":\"ping\"}\n"
      " " DELTA("c") "=" DELTA("d") " {\"type\":\"message_stop\"}\n"
      " " DELTA("e") },

    { G, STREAM, "", " {\"candidates\":[{}]}\n"
      " {\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
      "\"a\"}]}}]}\n={\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
      "\"bc\"}]}}]}\n {\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
      "\"bc\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"x\":1}}}]}}]}\n"
      " {\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
      "\"bc\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"x\":1}}}]}}]}\n" }
};


static void
str_of(ai_str_t *s, const char *text)
{
    s->len = strlen(text);
    s->data = unit_bytes(text, s->len);
}


static ai_event_e
tap_event(ai_tap_t *tap, const char *name, const char *data)
{
    ai_sse_event_t  ev;

    memset(&ev, 0, sizeof(ev));
    str_of(&ev.name, name);
    str_of(&ev.data, data);
    ev.has_data = 1;

    return ai_tap_event(tap, &ev);
}


static void
test_samples(void)
{
    char                 line[1024];
    size_t               i;
    ai_str_t             name, data;
    ai_tap_t             tap, read, copy;
    ai_event_e           event;
    const char          *p, *end;
    const sample_case_t  *c;

    for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        c = &samples[i];

        ai_tap_init(&tap, c->dialect, c->op, &unit_arena);
        ai_tap_init(&read, c->dialect, c->op, &unit_arena);

        for (p = c->events; *p != '\0'; p = end + 1) {
            end = p + strcspn(p, "\n");
            snprintf(line, sizeof(line), "%.*s", (int) (end - p - 1), p + 1);

            copy = tap;
            str_of(&name, c->name);
            str_of(&data, line);

            if (!CHECK_UINT(ai_tap_sample_match(&copy, &name, &data),
                            *p == '='))
            {
                printf("    %s\n", line);
            }

            event = tap_event(&tap, c->name, line);

            read.sample.len = 0;
            CHECK_INT(tap_event(&read, c->name, line), event);

            CHECK_MEM(&tap.usage, sizeof(ai_usage_t), &read.usage,
                      sizeof(ai_usage_t));
            CHECK_UINT(tap.events, read.events);
            CHECK_UINT(tap.content, read.content);
            CHECK_UINT(tap.output_bytes, read.output_bytes);
            CHECK_UINT(tap.unknown, read.unknown);
            CHECK_UINT(tap.tool_calls, read.tool_calls);
            CHECK_UINT(tap.choices, read.choices);
            CHECK_UINT(tap.choices_finished, read.choices_finished);
            CHECK_UINT(tap.finished, read.finished);
            CHECK_UINT(tap.ended, read.ended);
        }

        unit_arena_reset();
    }
}


/* what is as large as a sample may be, and one byte more */

static void
test_sample_sizes(void)
{
    char       data[1024];
    ai_str_t   name, span;
    ai_tap_t   tap;
    ai_uint_t  n;

    for (n = 0; n < AI_TAP_SAMPLE_LEN + 16; n++) {
        sprintf(data, "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]%*s}",
                (int) n, "");

        str_of(&name, n % 2 ? "name" : "");
        str_of(&span, data);

        ai_tap_init(&tap, O, CHAT, &unit_arena);
        CHECK_INT(tap_event(&tap, n % 2 ? "name" : "", data),
                  AI_EVENT_CONTENT);
        CHECK_UINT(tap.sample.len, 0);
        CHECK_INT(tap_event(&tap, n % 2 ? "name" : "", data),
                  AI_EVENT_CONTENT);
        CHECK_UINT(ai_tap_sample_match(&tap, &name, &span),
                   name.len + span.len - 3 <= AI_TAP_SAMPLE_LEN);

        str_of(&name, "nome");
        CHECK_UINT(ai_tap_sample_match(&tap, &name, &span), 0);

        unit_arena_reset();
    }
}


int
main(void)
{
    UNIT_RUN(test_samples);
    UNIT_RUN(test_sample_sizes);

    return unit_done();
}
