using CbaMail.Cli;
using Xunit;

namespace CbaMail.Tests.Server.Cli;

public sealed class GoTemplateTests
{
    [Theory]
    [InlineData("Hello {{ .Subscriber.FirstName }} <{{.Subscriber.Email}}>", "Hello {{firstName}} <{{address}}>")]
    [InlineData("{{ .Subscriber.Attribs.city }} {{ .Subscriber.Attribs.exam.room }}", "{{city}} {{exam_room}}")]
    [InlineData("{{- if eq .Subscriber.Attribs.group \"A\" -}}a{{ else if not .Subscriber.Attribs.seat }}b{{ else }}c{{ end }}", "{{~#if (eq group \"A\")~}}a{{else if (not seat)}}b{{else}}c{{/if}}")]
    [InlineData("{{ if and (ge .Subscriber.Attribs.age 18) .Subscriber.Attribs.city }}x{{ end }}", "{{#if (and (gte age 18) city)}}x{{/if}}")]
    [InlineData("{{ range .Subscriber.Attribs.topics }}{{ . }}{{ end }}", "{{#each topics}}{{this}}{{/each}}")]
    [InlineData("<a href=\"https://x.test@TrackLink\">x</a>{{ TrackView }}<a href=\"{{ UnsubscribeURL }}\">leave</a>{{/* no */}}", "<a href=\"https://x.test\">x</a>")]
    public void What_has_its_like_is_turned(string theirs, string ours)
    {
        var problems = new List<string>();
        Assert.Equal(ours, GoTemplate.Turn(theirs, problems, []));
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("one\n{{ Date \"2006\" }}", "line 2: {{ Date \"2006\" }} has nothing like it here")]
    [InlineData("{{ .Subscriber.Name | Safe }}", "line 1: {{ .Subscriber.Name | Safe }} has nothing like it here")]
    [InlineData("{{ if .Subscriber.Attribs.a }}", "{{ if }} has no end")]
    public void What_has_not_is_named(string theirs, string said)
    {
        var problems = new List<string>();
        GoTemplate.Turn(theirs, problems, []);
        Assert.Equal([said], problems);
    }
}
