"""The named rules by which defects of annotation files are kept, repaired or excluded, each in one sentence.

A finding names its rule, so this table is what a reader needs to judge a finding. Knows no parser.
"""

from __future__ import annotations

FINDING_RULES: dict[str, str] = {
    # the whole file
    "other-data-set": "the annotations are those of another data set than was named; they count as what they are",
    # a whole row
    "no-anomaly": "the row annotates nothing: no text but '/', no moment, no class code; it is set aside",
    "duplicate-row": "the video was annotated before in the same table; the first row counts",
    "row-of-a-cut-video": "the id, such as 19-1, names a part of a video; the rounds number such parts differently",
    "id-unusable": "the video's name is empty, very long, or holds a control character; the row is not used",
    "annotator-note": "a note beside the row; it is not used",
    "row-broken": "the row lacks a field or has one of the wrong type; it is not used",
    "review-without-row": "the second round reviews a video that the first does not annotate; it is not used",
    "review-text-unused": "the second round reviews classes and moments only; a text beside them is not used",
    "sheet-unused": "a sheet of another name has the headings of the first round; it is not used",
    "annotation-repeated": "another video has the very same annotation, as if it were there twice; both count",
    "row-left-out": "the data set's description leaves such rows out, or has no kind of row that fits",
    "name-outside": "the name of the video leads out of its folder (`..`); it is looked for below it",
    "in-other-split": "the video is in another split of the data set as well",
    "task-unknown": "the row's task is none of description, cause, effect, classification and timestamp",
    # the class
    "class-missing": "no class is given",
    "class-is-free-text": "the class is described in words; the video counts for the other tasks only",
    "class-irregular": "the class code was written with stray characters",
    "class-several": "several classes are given; the first one counts",
    "class-unknown": "the class is none of those that the data set's description lists; it is not used",
    "class-impossible": "class codes start at 1 and no class of the taxonomy has this one",
    "severity-impossible": "severity runs from 1 to 5; this one is not used",
    # moments
    "moments-missing": "no moment is given",
    "moments-brackets": "brackets around a moment are missing or unbalanced",
    "moment-digits": "a time has not four digits; it is read as mmss with leading zeros added or dropped",
    "moment-open": "the moment has a start and no end, or an end and no start; it is not used",
    "moment-malformed": "this is no pair of times; it is not used",
    "moment-seconds": "a time has more than 59 seconds, so it is not mmss; the moment is not used",
    "mmss-as-seconds": "digits of mmss became a number: 0300 is 300, and means 180 s; it is read as mmss",
    "frame-rate-missing": "a time is a number of frames, and no frame rate above 0 is known; the moment is not used",
    "moments-of-normal": "the video has no anomaly, so that times beside it are of none; they are not used",
    "lists-uneven": "lists that belong side by side are not equally long; none of their items is used",
    "moment-reversed": "the moment ends before it starts; start and end are exchanged",
    "moment-instant": "the moment starts and ends in the same second",
    "moments-order": "the moments are not in order of time; they are sorted",
    "moments-overlap": "two moments overlap",
    "moments-descriptions": "the row has not as many descriptions as moments",
    # whether there is an anomaly, and multiple choice
    "detection-unclear": "what is written says neither that there is an anomaly nor that there is none",
    "key-missing": "the question has no key; nobody is scored on it",
    "key-malformed": "the key is no option; it is read where it is a letter with the option's text behind it",
    "lettered-options": "the options begin with their letters, A to the last; the letters are taken off",
    "options-few": "the question has fewer than two options; it is not used",
    "options-repeated": "two options of a question are the same",
    # texts and key sentences
    "text-missing": "the text is empty or '/'",
    "text-not-text": "the cell holds a number or a date; it is read as text",
    "text-damaged": "a character of the text is lost: U+FFFD, or half a surrogate pair, stands in its place",
    "cell-not-text": "the cell holds a list, a record, or true or false where a text belongs; it is not used",
    "cell-formula": "the cell holds a formula and not what it gives; it counts as empty",
    "text-placeholder": "the text is a filler, such as an error message; it counts as empty",
    "cell-error": "the cell holds an error of the spreadsheet program; it counts as empty",
    "descriptions-joined": "descriptions have `][` between them; metrics read a blank there, but for ecva-2024",
    "description-brackets": "a bracket around a description is missing",
    "key-sentences-missing": "no key sentence is given",
    "key-sentences-quotes": "quotes are unbalanced or typographic; the list is split at the commas next to quotes",
    "key-sentences-spaces": "a key sentence had spaces around it",
    "key-sentences-empty": "an empty key sentence is not used",
    "key-sentences-few": "fewer than the four key sentences that were asked for",
    # against the video files
    "video-ambiguous": "two files may be the video; neither is taken",
    "video-unfinished": "a download that is not whole yet lies in the place of the video",
    "folder-unread": "a folder or an archive cannot be read, so no video is found in it",
    "video-unusable": "the video file cannot be decoded",
    "video-warning": "the video file decodes, with a defect",
    "moment-beyond-end": "a moment lies beyond the end of the video",
}
