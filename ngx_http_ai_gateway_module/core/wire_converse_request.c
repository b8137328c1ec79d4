
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The request of a client that speaks Bedrock Converse: an SDK of AWS, or
 * what is built on one.  Model and stream are told by its path.
 */


#include "wire_converse.h"


static ai_int_t ai_converse_inference(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_tool_config(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_tools_read(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_tool_spec(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_choice_read(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_additional(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_thinking(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_effort(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_nova_inference(ai_wire_read_t *r,
    const ai_json_t *v, const ai_wire_member_t *m);
static ai_int_t ai_converse_nova_reasoning(ai_wire_read_t *r,
    const ai_json_t *v, const ai_wire_member_t *m);
static ai_int_t ai_converse_parallel(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_claude_output(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_claude_format(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_output(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_tier(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_converse_prompt(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);


static const ai_wire_member_t  ai_converse_bodies[] = {
    { ai_string("system"), ai_converse_read_system, 0, NULL },
    { ai_string("messages"), ai_converse_read_messages, 0, NULL },
    { ai_string("inferenceConfig"), ai_converse_inference, 0, NULL },
    { ai_string("toolConfig"), ai_converse_tool_config, 0, NULL },
    { ai_string("additionalModelRequestFields"), ai_converse_additional, 0,
      NULL },
    { ai_string("outputConfig"), ai_converse_output, 0, NULL },
    { ai_string("requestMetadata"), ai_wire_read_object,
      offsetof(ai_request_t, metadata), NULL },
    { ai_string("serviceTier"), ai_converse_tier, 0, NULL },
    { ai_string("promptVariables"), ai_converse_prompt, 0, NULL },
    { ai_string("modelId"), NULL, 0, NULL },
    { ai_null_string, NULL, 0, NULL }
};


static const ai_wire_member_t  ai_converse_inferences[] = {
    { ai_string("maxTokens"), ai_wire_read_number,
      offsetof(ai_request_t, max_tokens),
      "inferenceConfig.maxTokens" },
    { ai_string("temperature"), ai_wire_read_number,
      offsetof(ai_request_t, temperature),
      "inferenceConfig.temperature" },
    { ai_string("topP"), ai_wire_read_number,
      offsetof(ai_request_t, top_p),
      "inferenceConfig.topP" },
    { ai_string("stopSequences"), ai_wire_read_stops, 0,
      "inferenceConfig.stopSequences" },
    { ai_null_string, NULL, 0, NULL }
};


static const ai_wire_member_t  ai_converse_tool_configs[] = {
    { ai_string("tools"), ai_converse_tools_read, 0, NULL },
    { ai_string("toolChoice"), ai_converse_choice_read, 0, NULL },
    { ai_null_string, NULL, 0, NULL }
};


/* what models take that Converse has no slot for, each by its own name */

static const ai_wire_member_t  ai_converse_additionals[] = {
    { ai_string("thinking"), ai_converse_thinking, 0,
      "additionalModelRequestFields.thinking" },
    { ai_string("reasoning_config"), ai_converse_thinking, 0,
      "additionalModelRequestFields.thinking" },
    { ai_string("reasoning_effort"), ai_converse_effort, 0, NULL },
    { ai_string("reasoningConfig"), ai_converse_nova_reasoning, 0, NULL },
    { ai_string("top_k"), ai_wire_read_number,
      offsetof(ai_request_t, top_k),
      "additionalModelRequestFields.top_k" },
    { ai_string("inferenceConfig"), ai_converse_nova_inference, 0, NULL },
    { ai_string("output_config"), ai_converse_claude_output, 0, NULL },
    { ai_string("tool_choice"), ai_converse_parallel, 0, NULL },

    /* these say nothing to a model */

    { ai_string("anthropic_beta"), NULL, 0, NULL },
    { ai_string("anthropic_version"), NULL, 0, NULL },

    { ai_null_string, NULL, 0, NULL }
};


static const ai_wire_member_t  ai_converse_nova_inferences[] = {
    { ai_string("topK"), ai_wire_read_number,
      offsetof(ai_request_t, top_k),
      "additionalModelRequestFields.top_k" },
    { ai_null_string, NULL, 0, NULL }
};


static const ai_wire_member_t  ai_converse_claude_outputs[] = {
    { ai_string("effort"), ai_converse_effort, 0, NULL },
    { ai_string("format"), ai_converse_claude_format, 0, NULL },
    { ai_null_string, NULL, 0, NULL }
};


ai_int_t
ai_converse_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t        rc;
    ai_json_t       messages;
    ai_wire_read_t  r;

    memset(&r, 0, sizeof(ai_wire_read_t));

    r.req = req;
    r.rep = rep;

    messages = ai_wire_get(root, "messages");

    if (messages.type != AI_JSON_ARRAY) {
        return ai_report_refuse(rep, "messages", "an array is expected");
    }

    rc = ai_wire_read(&r, root, ai_converse_bodies, NULL);

    if (rc != AI_OK) {
        return rc;
    }

    /* each answer tells its usage */

    req->include_usage = 1;

    return AI_OK;
}


static ai_int_t
ai_converse_inference(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    return ai_wire_read(r, v, ai_converse_inferences, "inferenceConfig");
}


static ai_int_t
ai_converse_tool_config(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    return ai_wire_read(r, v, ai_converse_tool_configs, "toolConfig");
}


static ai_int_t
ai_converse_tools_read(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_int_t         rc;
    ai_tool_t       *tool;
    ai_json_t        item, value;
    ai_json_iter_t   it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "toolConfig.tools",
                                "an array is expected");
    }

    tool = NULL;
    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &item) == AI_OK) {

        if (item.type != AI_JSON_OBJECT) {
            return ai_report_refuse(r->rep, "toolConfig.tools",
                                    "objects are expected");
        }

        if (ai_json_get(&item, "cachePoint", &value) == AI_OK) {

            if (tool != NULL
                && ai_converse_read_cache(r, &value, &tool->cache) != AI_OK)
            {
                return AI_ERROR;
            }

            continue;
        }

        if (ai_json_get(&item, "toolSpec", &value) == AI_OK) {
            rc = ai_converse_tool_spec(r, &value, NULL);

            if (rc != AI_OK) {
                return rc;
            }

        } else if (ai_json_path(&item, &value, "systemTool", "name", NULL)
                   == AI_OK
                   && value.type == AI_JSON_STRING
                   && value.end - value.start > 2)
        {
            tool = ai_request_tool(r->req);

            if (tool == NULL) {
                return AI_ERROR;
            }

            tool->type = AI_TOOL_SERVER;
            tool->name = ai_mstr(&value);
            tool->raw = ai_json_raw(&item);

        } else {
            ai_report_drop(r->rep, "tools");
            continue;
        }

        tool = (ai_tool_t *) (void *) ((u_char *) r->req->last_tool
                                       - offsetof(ai_tool_t, next));
    }

    return AI_OK;
}


static ai_int_t
ai_converse_tool_spec(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_tool_t       *tool;
    ai_json_t        name, value;
    ai_json_iter_t   it;

    tool = ai_request_tool(r->req);

    if (tool == NULL) {
        return AI_ERROR;
    }

    tool->raw = ai_json_raw(v);
    ai_converse_members(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_name_eq(&name, "name")) {
            tool->name = ai_mstr(&value);

        } else if (ai_json_name_eq(&name, "description")) {
            tool->description = ai_mstr(&value);

        } else if (ai_json_name_eq(&name, "inputSchema")) {
            value = ai_wire_get(&value, "json");

            if (value.type == AI_JSON_OBJECT) {
                tool->schema = ai_json_raw(&value);
            }

        } else if (ai_json_name_eq(&name, "strict")) {
            tool->strict = ai_json_raw(&value);

        } else {
            ai_report_drop_name(r->rep, &name);
        }
    }

    if (ai_mstr_empty(&tool->name)) {
        return ai_report_refuse(r->rep, "toolConfig.tools",
                                "a tool needs a name");
    }

    return AI_OK;
}


static ai_int_t
ai_converse_choice_read(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  value;

    if (ai_json_get(v, "auto", &value) == AI_OK) {
        r->req->choice = AI_CHOICE_AUTO;
        return AI_OK;
    }

    if (ai_json_get(v, "any", &value) == AI_OK) {
        r->req->choice = AI_CHOICE_REQUIRED;
        return AI_OK;
    }

    if (ai_json_path(v, &value, "tool", "name", NULL) == AI_OK
        && value.type == AI_JSON_STRING)
    {
        r->req->choice = AI_CHOICE_NAMED;
        r->req->choice_name = ai_mstr(&value);
        return AI_OK;
    }

    return ai_report_refuse(r->rep, "toolConfig.toolChoice", "one of "
                            "\"auto\", \"any\" and \"tool\", the latter "
                            "with a name, is expected");
}


static ai_int_t
ai_converse_additional(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    return ai_wire_read(r, v, ai_converse_additionals,
                            "additionalModelRequestFields");
}


/* an object as Claude takes it, or the effort as other models do */

static ai_int_t
ai_converse_thinking(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type == AI_JSON_STRING) {
        return ai_converse_effort(r, v, m);
    }

    return ai_wire_read_thinking(r, v, m);
}


static ai_int_t
ai_converse_effort(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_mstr_t    name;
    ai_effort_e  effort;

    name = ai_mstr(v);
    effort = ai_effort_find(&name);

    if (effort == AI_EFFORT_UNSET) {
        ai_report_drop(r->rep, "reasoning_effort");
        return AI_OK;
    }

    /* what switches thinking off is stronger, wherever it stands */

    if (r->req->effort == AI_EFFORT_UNSET) {
        r->req->effort = effort;
    }

    return AI_OK;
}


static ai_int_t
ai_converse_nova_inference(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    return ai_wire_read(r, v, ai_converse_nova_inferences,
                            "additionalModelRequestFields.inferenceConfig");
}


static ai_int_t
ai_converse_nova_reasoning(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  type, effort;

    type = ai_wire_get(v, "type");

    if (ai_json_name_eq(&type, "disabled")) {
        r->req->effort = AI_EFFORT_NONE;
        return AI_OK;
    }

    effort = ai_wire_get(v, "maxReasoningEffort");

    return ai_converse_effort(r, &effort, m);
}


/* which tool it is has its slot in toolConfig */

static ai_int_t
ai_converse_parallel(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  disable;

    disable = ai_wire_get(v, "disable_parallel_tool_use");

    if (ai_json_is_true(&disable)) {
        ai_str_set(&r->req->parallel, "false");
    }

    return AI_OK;
}


static ai_int_t
ai_converse_claude_output(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    return ai_wire_read(r, v, ai_converse_claude_outputs,
                            "additionalModelRequestFields.output_config");
}


static ai_int_t
ai_converse_claude_format(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  schema;

    schema = ai_wire_get(v, "schema");

    if (schema.type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "additionalModelRequestFields."
                                "output_config.format",
                                "an object with a schema is expected");
    }

    r->req->format = AI_FORMAT_SCHEMA;
    r->req->format_schema = ai_json_raw(&schema);

    return AI_OK;
}


/* the schema is a JSON text within a string */

static ai_int_t
ai_converse_output(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_int_t         rc;
    ai_str_t         text;
    ai_json_t        format, root;
    ai_mstr_t        schema;
    ai_json_error_t  err;

    format = ai_wire_get(v, "textFormat");

    if (format.type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (ai_json_path(&format, &format, "structure", "jsonSchema", NULL)
        != AI_OK)
    {
        return ai_report_refuse(r->rep, "outputConfig.textFormat",
                                "a jsonSchema is expected");
    }

    r->req->format_name = ai_wire_string(&format, "name");
    r->req->format_description = ai_wire_string(&format, "description");
    schema = ai_wire_string(&format, "schema");

    if (ai_mstr_decode(&schema, r->req->alloc, &text) != AI_OK) {
        return AI_ERROR;
    }

    rc = ai_json_scan(text.data, text.len, NULL, r->req->alloc, NULL, NULL,
                      &root, &err);

    if (rc == AI_ERROR) {
        return AI_ERROR;
    }

    if (rc != AI_OK || root.type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "outputConfig.textFormat.structure."
                                "jsonSchema.schema",
                                "a string that holds a JSON object is "
                                "expected");
    }

    r->req->format = AI_FORMAT_SCHEMA;
    r->req->format_schema = ai_json_raw(&root);

    return AI_OK;
}


static ai_int_t
ai_converse_tier(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  type;

    type = ai_wire_get(v, "type");

    if (ai_json_name_eq(&type, "default") || ai_json_name_eq(&type, "flex")
        || ai_json_name_eq(&type, "priority"))
    {
        r->req->service_tier = ai_mstr(&type);

    } else {
        ai_report_drop(r->rep, "service_tier");
    }

    return AI_OK;
}


static ai_int_t
ai_converse_prompt(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    return ai_report_refuse(r->rep, "promptVariables", "prompts that are "
                            "stored at Bedrock are known there only: send "
                            "the messages themselves");
}
