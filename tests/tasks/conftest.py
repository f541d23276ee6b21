from tests.toy_texts import make_text as make_text
from tests.toy_texts import one_thread as one_thread
from tests.toy_texts import shard as shard
from tests.toy_texts import texts as texts
from tests.toy_texts import tokenizer as tokenizer
from tests.toy_texts import tokenizer_folder as tokenizer_folder
from tests.toy_texts import vocabulary as vocabulary
