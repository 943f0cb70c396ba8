/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/output.h"

#include <errno.h>

#include "model/backend.h"
#include "model/node.h"
#include "model/base/mem.h"
#include "shell/form.h"

struct output *output_new(const struct output_options *options)
{
	struct output *output = mem_alloc(sizeof(*output));

	output->form = options->json ? &form_json : &form_text;
	output->options = *options;
	output->own = output->form->start();
	return output;
}

void output_free(struct output *output)
{
	if (!output)
		return;
	output->form->stop(output->own);
	free(output);
}

void output_set_width(struct output *output, unsigned width)
{
	output->options.width = width;
}

void output_set_colour(struct output *output, bool colour)
{
	if (!output->results_only)
		output->options.colour = colour;
	output->coloured = colour;
}

unsigned output_width(const struct output *output)
{
	return output->options.width;
}

bool output_is_json(const struct output *output)
{
	return output->options.json;
}

bool output_is_terminal(const struct output *output)
{
	return output->options.terminal;
}

bool output_is_broken(const struct output *output)
{
	return output->failed != 0;
}

void output_capture(struct output *output, struct text *to)
{
	output->capture = to;
	output->results_only = false;
}

void output_filter(struct output *output, struct text *to)
{
	output->capture = to;
	output->results_only = to != NULL;
	if (to)
		output->coloured = output->options.colour;
	output->options.colour = !to && output->coloured;
}

bool output_set_json(struct output *output, bool json)
{
	bool was = output->options.json;

	if (was == json)
		return was;
	output->form->stop(output->own);
	output->options.json = json;
	output->form = json ? &form_json : &form_text;
	output->own = output->form->start();
	return was;
}

void output_begin(struct output *output)
{
	output->form->begin(output);
}

void output_end(struct output *output)
{
	output->form->end(output);
}

void output_drop(struct output *output)
{
	output->form->drop(output);
}

void output_answer(struct output *output, const char *name, const char *text)
{
	output->form->answer(output, name, text);
}

void output_prose(struct output *output, const char *name, const char *text)
{
	output->form->prose(output, name, text);
}

void output_open(struct output *output, enum shape shape, const char *name,
		 const char *title)
{
	output->form->open(output, shape, name, title);
}

void output_close(struct output *output)
{
	output->form->close(output);
}

void output_field(struct output *output, const char *name, const char *text)
{
	output->form->field(output, name, text);
}

void output_number(struct output *output, const char *name, uint64_t number)
{
	output->form->number(output, name, number);
}

void output_flag(struct output *output, const char *name, bool flag)
{
	output->form->flag(output, name, flag);
}

const struct value *output_value(const struct node *node, size_t attr,
				 const struct live *live)
{
	unsigned flags = node_kind(node)->attrs[attr].flags;
	const struct value *told = live ? live_value(live, node, attr) : NULL;

	if (flags & ATTR_READONLY || (flags & ATTR_SECRET && told))
		return told;
	return node_value(node, attr);
}

void output_setting(struct output *output, const struct node *node, size_t attr,
		    const struct live *live)
{
	output->form->setting(output, node, attr, live);
}

void output_tree(struct output *output, const struct node *top, unsigned depth,
		 const struct live *live)
{
	output->form->tree(output, top, depth, live);
}

void output_raw(struct output *output, const char *bytes, size_t length)
{
	form_write(output, bytes, length);
}

void output_say(struct output *output, enum severity_shown severity,
		const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = mem_vprintf(format, args);
	va_end(args);
	output->form->say(output, severity, text);
	free(text);
}

void output_finding(struct output *output, const struct origin_line *where,
		    const struct finding *finding)
{
	output->form->finding(output, where, finding);
}

void output_error(struct output *output, const struct origin_line *where,
		  const struct err *err, unsigned column, const char *caret)
{
	output->form->error(output, where, err, column, caret);
}

void form_write(struct output *output, const char *bytes, size_t length)
{
	if (output->capture) {
		text_put_bytes(output->capture, bytes, length);
		return;
	}
	if (output->failed || !length)
		return;
	if (fwrite(bytes, 1, length, stdout) != length)
		output->failed = errno ? errno : EIO;
}

int output_flush(struct output *output)
{
	if (fflush(stdout) != 0 && !output->failed)
		output->failed = errno ? errno : EIO;
	return output->failed == EPIPE ? 0 : -output->failed;
}
